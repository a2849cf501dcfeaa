/** The whole command in a process of its own, with a fake training in the engine's place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerPlan } from "../../engine/plans.ts";
import { type Ended, startProgram } from "./command.ts";
import type { FakeOptions } from "./fake_tools.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Started {
  process: Deno.ChildProcess;
  ended(): Promise<Ended>;
}

function start(cwd: string, args: string[], options: FakeOptions = {}): Started {
  const run = ["run", "-q", "--no-check", "--config", `${root}deno.json`, "-A"];
  const env = {
    NO_COLOR: "1",
    HF_HUB_OFFLINE: "1",
    XDG_CACHE_HOME: join(cwd, "cache"),
    FAKE_TOOLS: JSON.stringify(options),
  };
  return startProgram(Deno.execPath(), [...run, `${root}test/cli/fake_train.ts`, ...args], {
    cwd,
    env,
  });
}

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const entries = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name).sort();

Deno.test("a training ends with the comparison table, at most 80 columns wide", () =>
  withFolder(async (folder) => {
    const { code, stdout, stderr } = await start(folder, ["--adapter_placement", "parallel"])
      .ended();
    assert.equal(code, 0, stderr);
    const table = stdout.slice(stdout.indexOf("\nMethod "));
    for (const word of ["Config", "Accuracy", "F1 Score", "Trainable", "size=256", "r=16"]) {
      assert.ok(stdout.includes(word), word);
    }
    for (const line of table.split("\n")) assert.ok(line.length <= 80, line);
    assert.match(stdout, /Results: results\/001-bert-base-uncased-emotions\n$/);
  }));

Deno.test("--json prints one document on stdout, all else on stderr", () =>
  withFolder(async (folder) => {
    const args = ["--json", "--method", "lora", "--rank", "4,8", "--size", "1"];
    const { code, stdout, stderr } = await start(folder, args, { notice: "STAND-IN" }).ended();
    assert.equal(code, 0, stderr);
    const { experiment, runs, comparison } = JSON.parse(stdout);
    assert.equal(experiment, join("results", "001-bert-base-uncased-emotions"));
    assert.deepEqual(runs.map((run: { run: string }) => run.run), ["lora-r4", "lora-r8"]);
    assert.equal(comparison.rows.length, 2);
    assert.match(stderr, /STAND-IN/);
    assert.match(stderr, /Warning: --size has no effect/);
    assert.match(stderr, /lora-r8 \(2 of 2\)/);
  }));

Deno.test("a plan that the driver refused stands in --json and run.json, now and in later runs", () =>
  withFolder(async (folder) => {
    const refused = [{ plan: registerPlan(8, 8), reason: "Kernel matmul.NN.main: too large" }];
    const args = ["--json", "--method", "full", "--experiment"];
    const first = await start(folder, [...args, "first"], { refused }).ended();
    assert.match(first.stderr, /1\s+plan\s+refused\s+by\s+the\s+driver/);
    const later = await start(folder, [...args, "later"]).ended();
    assert.doesNotMatch(later.stderr, /refused/);
    for (const [name, { stdout }] of Object.entries({ first, later })) {
      const [run] = JSON.parse(stdout).runs;
      assert.deepEqual(run.matmul_plans.refused, refused);
      const file = await Deno.readTextFile(join(folder, "results", name, "full", "run.json"));
      assert.deepEqual(JSON.parse(file).matmul_plans, run.matmul_plans);
    }
  }));

Deno.test("a run that exists is refused with exit code 2", () =>
  withFolder(async (folder) => {
    const args = ["--method", "full", "--experiment", "e"];
    assert.equal((await start(folder, args).ended()).code, 0);
    const { code, stdout, stderr } = await start(folder, args).ended();
    assert.equal(code, 2);
    assert.equal(stdout, "");
    assert.match(stderr, /^Error: results\/e already has full\. --overwrite replaces it/);
  }));

Deno.test("a failing training ends with exit code 1", () =>
  withFolder(async (folder) => {
    const { code, stderr } = await start(folder, ["--method", "full"], { failIn: "full" }).ended();
    assert.equal(code, 1);
    assert.match(stderr, /^Error: The GPU went away\.\n/);
  }));

Deno.test("what the GPU lacks is said with what to do about it, whether or not a run is done", () =>
  withFolder(async (folder) => {
    const none = await start(folder, [], { deviceError: "no adapter" }).ended();
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^Error: No WebGPU adapter\. On Debian .*"No GPU"\.\n$/);
    for (const failIn of ["lora-r4", "lora-r8"]) {
      const options = { deviceError: "out of memory", failIn } as const;
      const { code, stderr } = await start(folder, ["--method", "lora"], options).ended();
      assert.equal(code, 1);
      const standing = failIn === "lora-r4"
        ? ["Error: ", ""]
        : ["Error: lora-r8: ", `Finished and saved in results/.*: lora-r4\\. Not trained: .* `];
      const message = "Out of GPU memory: 158 MB asked for the step arena, 3\\.0 GB held\\. ";
      const advice = "Lower --batch_size [^.]* or take --gradient_checkpointing\\.\n";
      assert.match(stderr, new RegExp(`^${standing[0]}${message}${standing[1]}${advice}$`));
      assert.equal(stderr.match(/--batch_size/g)?.length, 1, "advised once");
    }
  }));

Deno.test("an output folder that cannot be made is told before anything else", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "results"), "a file");
    for (const more of [[], ["--experiment", "e"]]) {
      const { code, stdout, stderr } = await start(folder, more).ended();
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /^Error: .*results.*\n$/);
    }
  }));

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} keeps finished runs and leaves nothing half`, () =>
    withFolder(async (folder) => {
      const args = ["--method", "lora", "--experiment", "e"];
      const { process, ended } = start(folder, args, { hangIn: "lora-r8" });
      const training = join(folder, "results", "e", "comparison.md");
      // The first run is saved and the second is training, soon after this file is there.
      while (!(await Deno.stat(training).then(() => true, () => false))) {
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      process.kill(signal);
      const { code, stderr } = await ended();
      assert.equal(code, signal === "SIGINT" ? 130 : 143);
      assert.match(stderr, /Interrupted/);
      assert.deepEqual(entries(join(folder, "results", "e")), [
        "comparison.csv",
        "comparison.json",
        "comparison.md",
        "lora-r4",
      ]);
    }));
}

Deno.test("an interruption before the first finished run leaves no folder", () =>
  withFolder(async (folder) => {
    const { process, ended } = start(folder, ["--method", "full"], { hangIn: "full" });
    const results = join(folder, "results");
    while (!(await Deno.stat(results).then(() => entries(results).length > 0, () => false))) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.kill("SIGINT");
    assert.equal((await ended()).code, 130);
    assert.deepEqual(entries(results), []);
  }));
