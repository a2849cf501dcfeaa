/**
 * Killed at any moment, also while it writes, a training goes on to the same bits: the real command with the real engine, by
 * hash. Once for LoRA unless more is asked for: `KILLS=30 deno test -P=test test/cli/kill_test.ts` does it for all methods.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { namesIn, withFolder } from "../files/temporary.ts";
import { startProgram } from "./command.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const asked = Deno.env.get("KILLS");
const kills = Number(asked ?? 1);
const methods = asked ? ["full", "lora", "adapter"] : ["lora"];

function startTraining(args: string[], cache: string) {
  const run = ["run", "-q", "--no-check", "-P=commands", "--no-prompt", "cli/train.ts"];
  return startProgram(Deno.execPath(), [...run, ...args], {
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1", XDG_CACHE_HOME: cache },
  });
}

async function hashOf(path: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(digest).toHex();
}

/** What must be the same: hashes of all that was trained, losses of all steps, figures of all evaluations. */
async function essence(folder: string) {
  const run = JSON.parse(await Deno.readTextFile(join(folder, "run.json")));
  const lines = (await Deno.readTextFile(join(folder, "steps.jsonl"))).trim().split("\n");
  const exported = (await namesIn(folder)).filter((name) =>
    !/^(run\.json|steps\.jsonl)$/.test(name)
  );
  return {
    files: await Promise.all(
      exported.map(async (name) => [name, await hashOf(join(folder, name))]),
    ),
    steps: lines.map((line) => ({ ...JSON.parse(line), tokens_per_second: 0 })),
    test: run.test,
    validation: run.validation,
    best: run.best_epoch,
  };
}

/** A data set of three classes, and the flags of a training of some seconds, in which every step is a checkpoint. */
async function prepare(folder: string, method: string): Promise<string[]> {
  const words = ["joy", "is", "good", "i", "was", "sad", "but", "the", "old", "day"];
  const sentence = (row: number) =>
    words.map((_, at) => words[(row * (at + 3) + at) % 10]).join(" ");
  const rows = Array.from({ length: 120 }, (_, row) => `${sentence(row)} ${row},${row % 3}\n`);
  const data = join(folder, "rows.csv");
  await Deno.writeTextFile(data, `text,label\n${rows.join("")}`);
  const size = { full: [], lora: ["--rank", "4"], adapter: ["--size", "8"] }[method]!;
  return [
    ...["--method", method, ...size, "--model_name", join(root, "test/goldens/model")],
    ...["--dataset", data, "--output_dir", folder, "--no_tune", "--checkpoint_steps", "1"],
    ...["--learning_rate", "1e-3", "--num_epochs", "2", "--batch_size", "8"],
  ];
}

/** Trains, killed at most so many times, each at a random moment within `time` milliseconds. Returns how often it was. */
async function trainKilled(args: string[], folder: string, most: number, time: number) {
  const experiment = join(folder, "cut");
  let next = [...args, "--experiment", "cut"];
  for (let killed = 0;; killed++) {
    const { process, ended } = startTraining(next, folder);
    const timer = killed < most
      ? setTimeout(() => process.kill("SIGKILL"), time * Math.random())
      : undefined;
    const { code, stderr } = await ended();
    clearTimeout(timer);
    if (code === 0) return killed;
    assert.equal(stderr, "", "killed, not failed");
    const command = join(experiment, "checkpoints", "command.json");
    const begun = await Deno.stat(command).then(() => true, () => false);
    if (begun) next = ["--resume", experiment];
  }
}

for (const method of methods) {
  Deno.test(`${method}: killed at any moment, a run goes on to the bits of one that was not`, () =>
    withFolder(async (folder) => {
      const args = await prepare(folder, method);
      const started = performance.now();
      const whole = await startTraining([...args, "--experiment", "whole"], folder).ended();
      const time = performance.now() - started;
      assert.equal(whole.code, 0, whole.stderr);
      const kept = await namesIn(join(folder, "whole"));
      const [run] = await namesIn(join(folder, "whole", "logs"));
      const expected = await essence(join(folder, "whole", run));
      for (let killed = 0; killed < kills;) {
        killed += await trainKilled(args, folder, kills - killed, time);
        assert.deepEqual(await essence(join(folder, "cut", run)), expected);
        assert.deepEqual(await namesIn(join(folder, "cut")), kept, "nothing half is left");
        assert.deepEqual(await namesIn(join(folder, "cut", "logs")), [run]);
        await Deno.remove(join(folder, "cut"), { recursive: true });
        if (asked) console.log(`${method}: ${killed} of ${kills} kills`);
      }
    }));
}
