/** `--model_name` with an adapter's folder, through the whole command with a fake training. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { golden, withFolder } from "../files/temporary.ts";
import { startProgram } from "./command.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** What PEFT saved, over a base that lies here. */
async function copyAdapter(to: string, base: string): Promise<void> {
  const saved = join(root, "test/interop/fixtures/peft-lora/saved");
  await Deno.mkdir(to);
  const weights = "adapter_model.safetensors";
  await Deno.copyFile(join(saved, weights), join(to, weights));
  const fields = await readJsonObject(hostFolder(saved), "adapter_config.json");
  const changed = toJson({ ...fields, base_model_name_or_path: base });
  await Deno.writeTextFile(join(to, "adapter_config.json"), changed);
}

async function train(cwd: string, ...args: string[]) {
  const run = ["run", "-q", "--no-check", "--config", `${root}deno.json`, "-A"];
  const env = {
    NO_COLOR: "1",
    HF_HUB_OFFLINE: "1",
    XDG_CACHE_HOME: join(cwd, "cache"),
    FAKE_TOOLS: "{}",
  };
  const command = [...run, `${root}test/cli/fake_train.ts`, "--model_name", "adapter", ...args];
  return await startProgram(Deno.execPath(), command, { cwd, env }).ended();
}

Deno.test("an adapter goes on with its own method and settings, over its base", () =>
  withFolder(async (folder) => {
    await copyAdapter(join(folder, "adapter"), golden("model"));
    const { code, stdout, stderr } = await train(folder, "--experiment", "x", "--rank", "4");
    assert.equal(code, 0, stderr);
    assert.match(stdout.replace(/\s+/g, " "), /Model .*goldens\/model, going on from adapter /);
    const [run] = await Array.fromAsync(Deno.readDir(join(folder, "results/x")))
      .then((all) => all.filter(({ name }) => name.startsWith("lora")));
    const report = await readJsonObject(
      hostFolder(join(folder, "results/x", run.name)),
      "run.json",
    );
    const { rank, lora_alpha } = report.settings as Record<string, unknown>;
    assert.deepEqual([rank, lora_alpha], [4, 6]);
    const { name, continued_from } = report.model as Record<string, unknown>;
    assert.deepEqual([name, continued_from], [golden("model"), "adapter"]);
    assert.match(
      JSON.stringify(report.weight_notes),
      /classifier of adapter does not say .*left out/,
    );
    assert.ok(!stderr.includes("--labels"), stderr); // that is a flag of other commands
  }));

Deno.test("a flag that contradicts the adapter is wrong use, with both values", () =>
  withFolder(async (folder) => {
    await copyAdapter(join(folder, "adapter"), golden("model"));
    for (
      const [args, message] of [
        [["--rank", "4,8"], /^Error: --rank is 8, but the adapter in adapter has 4, /],
        [["--lora_alpha", "2r"], /--lora_alpha is 8, .* has 6,/],
        [["--method", "adapter"], /--method is adapter, .* has lora,/],
      ] as const
    ) {
      const { code, stderr } = await train(folder, "--dry_run", ...args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  }));

Deno.test("an adapter whose base cannot be had is told to be one, and how it is used", () =>
  withFolder(async (folder) => {
    await copyAdapter(join(folder, "adapter"), "someone/gone");
    const { code, stderr } = await train(folder, "--dry_run");
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: adapter is an adapter, .*someone\/gone.*deno task predict --run adapter/,
    );
  }));
