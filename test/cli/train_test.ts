/** The whole command in a process of its own, with a fake training in the engine's place. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { registerPlan } from "../../engine/plans.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { type Ended, startProgram, until } from "./command.ts";
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
    assert.match(stderr, /lora-r8 \(2 of 2, about .* left in all\)/);
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
      const advice =
        "Lower --batch_size [^.]* or take --compute_dtype f16 or --gradient_checkpointing\\.\n";
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

const isThere = (path: string) => Deno.stat(path).then(() => true, () => false);

/** Trains until the first of LoRA's runs is saved and the second hangs. */
async function startHanging(folder: string, options: FakeOptions = {}): Promise<Started> {
  const args = ["--method", "lora", "--experiment", "e"];
  const started = start(folder, args, { hangIn: "lora-r8", ...options });
  await until(() => isThere(join(folder, "hangs")));
  return started;
}

/** What every finished run leaves in the experiment's folder, and what an experiment does that ends, or is stopped. */
const compared = ["csv", "json", "md", "tex"].map((end) => `comparison.${end}`);
const reported = [...compared, "comparison.html"].sort();
const exitCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129, SIGUSR2: 140 } as const;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"] as const) {
  Deno.test(`${signal} stops after the step, and --resume goes on to the end`, () =>
    withFolder(async (folder) => {
      const { process, ended } = await startHanging(folder);
      process.kill(signal);
      const { code, stderr } = await ended();
      assert.equal(code, exitCodes[signal]);
      const name = signal === "SIGINT" ? "Ctrl-C" : signal;
      assert.ok(
        stderr.endsWith(
          `${name}: finishing the step; once more stops at once.\n` +
            `Stopped (${name}): lora-r8 is kept as of step 2. ` +
            `Go on with: deno task train --resume results/e\n`,
        ),
        stderr,
      );
      const results = join(folder, "results", "e");
      assert.deepEqual(await namesIn(results), ["checkpoints", ...reported, "logs", "lora-r4"]);
      assert.deepEqual(await namesIn(join(results, "checkpoints")), [
        "command.json",
        "lock",
        "lora-r8",
      ]);

      const refused = await start(folder, ["--method", "full", "--experiment", "e"]).ended();
      assert.equal(refused.code, 2);
      assert.match(
        refused.stderr,
        /results\/e has unfinished runs: lora-r8 at step 2, lora-r16\. Go on with: deno task train --resume results\/e, or/,
      );

      const rest = await start(folder, ["--resume"]).ended();
      assert.equal(rest.code, 0, rest.stderr);
      assert.match(rest.stdout, /lora-r8 \(2 of 3\)\n.* going on after step 2\n/);
      assert.doesNotMatch(rest.stdout, /lora-r4 \(/);
      assert.deepEqual(await namesIn(results), [
        ...reported,
        "logs",
        "lora-r16",
        "lora-r4",
        "lora-r8",
      ]);
      const run = JSON.parse(await Deno.readTextFile(join(results, "lora-r8", "run.json")));
      assert.deepEqual(run.resumed_at_steps, [2]);
      assert.deepEqual(run.command, ["--method", "lora", "--experiment", "e"]);
      const steps = (await Deno.readTextFile(join(results, "lora-r8", "steps.jsonl"))).trim();
      assert.deepEqual(steps.split("\n").map((line) => JSON.parse(line).step), [1, 2, 3, 4]);

      const again = await start(folder, ["--resume", "results/e"]).ended();
      assert.deepEqual([again.code, again.stderr], [
        0,
        "results/e is finished: there is nothing to resume.\n",
      ]);
    }));
}

Deno.test("a second signal stops at once: finished runs stay, and nothing half", () =>
  withFolder(async (folder) => {
    const { process, ended } = await startHanging(folder, { deaf: true });
    process.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 700));
    process.kill("SIGINT");
    const { code, stderr } = await ended();
    assert.equal(code, 130);
    assert.match(stderr, /Interrupted \(Ctrl-C\): finished runs and checkpoints are kept/);
    const results = join(folder, "results", "e");
    assert.deepEqual(await namesIn(results), ["checkpoints", ...compared, "logs", "lora-r4"]);
    assert.deepEqual(await namesIn(join(results, "checkpoints")), ["command.json", "lock"]);
  }));

Deno.test("an interruption before anything is kept leaves no folder", () =>
  withFolder(async (folder) => {
    const args = ["--method", "full"];
    const { process, ended } = start(folder, args, { hangIn: "full", deaf: true });
    const results = join(folder, "results");
    const command = async () =>
      join(results, (await namesIn(results))[0] ?? "", "checkpoints", "command.json");
    await until(async () => await isThere(results) && await isThere(await command()));
    process.kill("SIGINT");
    await new Promise((resolve) => setTimeout(resolve, 700));
    process.kill("SIGINT");
    assert.equal((await ended()).code, 130);
    assert.deepEqual(await namesIn(results), []);
  }));

Deno.test("a program that is killed lets the next one in, which begins the unfinished run again", () =>
  withFolder(async (folder) => {
    const { process, ended } = await startHanging(folder);
    const second = await start(folder, ["--method", "full", "--experiment", "e"]).ended();
    assert.equal(second.code, 1);
    assert.match(second.stderr, /^Error: Another program is training into results\/e\./);
    process.kill("SIGKILL");
    await ended();
    const rest = await start(folder, ["--resume", "results/e"]).ended();
    assert.equal(rest.code, 0, rest.stderr);
    assert.deepEqual(await namesIn(join(folder, "results", "e")), [
      ...reported,
      "logs",
      "lora-r16",
      "lora-r4",
      "lora-r8",
    ]);
  }));

Deno.test("--resume takes no flag that would change what is trained, and needs something to resume", () =>
  withFolder(async (folder) => {
    const surplus = await start(folder, ["--resume", "--num_epochs", "9", "--rank=4"]).ended();
    assert.equal(surplus.code, 2);
    assert.match(surplus.stderr, /leave out --num_epochs, --rank\./);
    const none = await start(folder, ["--resume", "--json", "--backend", "deno"]).ended();
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^Error: results holds no experiment that was stopped/);
    const missing = await start(folder, ["--resume", "results/x"]).ended();
    assert.match(missing.stderr, /^Error: There is no folder results\/x to resume\.\n$/);
  }));
