/** `deno task train:mpi` by several ranks is `deno task train` by one process: its losses, weights, and how it goes on. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { exists, hostFolder } from "../../models/host/files.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { withFolder } from "../files/temporary.ts";
import { runProgram, runTrain, until } from "../cli/command.ts";
import { launchers, startRanks } from "./launch.ts";

const model = fileURLToPath(new URL("../goldens/model", import.meta.url));
const program = fileURLToPath(new URL("../../cli/mpi/train.ts", import.meta.url));
const [launcher] = await launchers();

/** Flags of a training of so many steps, in a folder of results. */
const training = (folder: string, experiment: string, steps: number, ...more: string[]) => [
  ...["--method", "lora", "--rank", "4", "--model_name", model, "--use_sample"],
  ...["--max_samples", "200", "--no_tune", "--learning_rate", "1e-3", "--warmup_steps", "2"],
  ...["--max_steps", `${steps}`, "--eval_steps", `${steps / 2}`, "--output_dir", folder],
  ...["--experiment", experiment, ...more],
];

const startShared = (size: number, args: string[]) =>
  startRanks(launcher, size, args, { program, set: "commands" });
const runShared = (size: number, args: string[]) => startShared(size, args).ended();

/** Sends the rank $0 of the command whose arguments name $1 the signal $2. */
const signalRank = `
for process in /proc/[0-9]*; do
  grep -qsz cli/mpi/train.ts "$process/cmdline" && grep -qsz "$1" "$process/cmdline" || continue
  grep -qszE "^(OMPI_COMM_WORLD|PMI)_RANK=$0$" "$process/environ" || continue
  kill -$2 "\${process#/proc/}" && exit
done
exit 1`;

async function lossesOf(run: string): Promise<number[]> {
  const text = await Deno.readTextFile(join(run, "steps.jsonl"));
  return text.trim().split("\n").map((line) => JSON.parse(line).loss);
}

const weightsOf = (run: string) => readTensors(hostFolder(run), "adapter_model.safetensors");

/** Asserts that two experiments trained the same, but for rounding. */
async function assertSame(folder: string, experiment: string, whole: string): Promise<void> {
  const [run, one] = [experiment, whole].map((name) => join(folder, name, "lora-r4"));
  const [losses, expected] = await Promise.all([run, one].map(lossesOf));
  assert.equal(losses.length, expected.length);
  losses.forEach((loss, step) => assert.ok(Math.abs(loss / expected[step] - 1) < 1e-6));
  const [weights, exact] = await Promise.all([run, one].map(weightsOf));
  let [difference, norm] = [0, 0];
  for (const [name, { data }] of exact) {
    const other = weights.get(name)!.data;
    data.forEach((value, i) => difference += (other[i] - value) ** 2);
    data.forEach((value) => norm += value ** 2);
  }
  assert.ok(Math.sqrt(difference / norm) < 1e-6, `${Math.sqrt(difference / norm)}`);
}

Deno.test("2 and 3 ranks train what one process trains, and twice the same bits", async () => {
  await withFolder(async (folder) => {
    const alone = await runTrain(training(folder, "one", 8));
    assert.equal(alone.code, 0, alone.stderr);
    for (const [experiment, size] of [["two", 2], ["again", 2], ["three", 3]] as const) {
      const { code, stdout, stderr } = await runShared(size, training(folder, experiment, 8));
      assert.equal(code, 0, stderr);
      assert.match(stdout, new RegExp(`Ranks    ${size}: ${size} on \\S+ \\(`));
      assert.equal(stdout.match(/saved lora-r4/g)?.length, 1); // by the first rank alone
      await assertSame(folder, experiment, "one");
    }
    const run = (name: string) => join(folder, name, "lora-r4");
    assert.deepEqual(await lossesOf(run("again")), await lossesOf(run("two")));
    assert.deepEqual(await weightsOf(run("again")), await weightsOf(run("two")));
    const { ranks } = JSON.parse(await Deno.readTextFile(join(run("three"), "run.json")));
    assert.deepEqual([ranks.size, ranks.hosts], [3, 1]);
  });
});

Deno.test("a rank that is killed ends all, and other ranks go on from the last checkpoint", async () => {
  await withFolder(async (folder) => {
    const flags = (experiment: string) =>
      training(folder, experiment, 60, "--checkpoint_steps", "5");
    const alone = await runTrain(flags("one"));
    assert.equal(alone.code, 0, alone.stderr);
    const started = startShared(3, flags("killed"));
    const checkpoints = join(folder, "killed", "checkpoints", "lora-r4");
    const hasCheckpoint = () =>
      Deno.stat(join(checkpoints, "step-10", "state.json")).then(() => true, () => false);
    await until(hasCheckpoint);
    const killed = await runProgram("sh", ["-c", signalRank, "1", folder, "KILL"]);
    assert.equal(killed.code, 0, killed.stderr);
    assert.notEqual((await started.ended()).code, 0);
    const resumed = await runShared(2, ["--resume", join(folder, "killed")]);
    assert.equal(resumed.code, 0, resumed.stderr);
    await assertSame(folder, "killed", "one");
  });
});

Deno.test("a signal to one rank stops all with a checkpoint", async () => {
  await withFolder(async (folder) => {
    const started = startShared(2, training(folder, "told", 400, "--checkpoint_steps", "5"));
    await until(() => exists(join(folder, "told", "checkpoints", "lora-r4", "step-5")));
    const told = await runProgram("sh", ["-c", signalRank, "1", folder, "TERM"]);
    assert.equal(told.code, 0, told.stderr);
    const { code, stderr } = await started.ended();
    assert.equal(code, 143, stderr);
    assert.match(stderr, /Stopped \(a signal to another rank\): lora-r4 is kept as of step \d+\./);
  });
});

Deno.test("what is wrong on all ranks is said once, by the first", async () => {
  const { code, stderr } = await runShared(3, ["--dataset", "/nowhere.csv", "--model_name", model]);
  assert.equal(code, 1);
  assert.equal(stderr.match(/There is no file or folder \/nowhere\.csv/g)?.length, 1, stderr);
  const wrong = await runShared(2, ["--bogus"]);
  assert.equal(wrong.code, 2);
  assert.equal(wrong.stderr.match(/--bogus/g)?.length, 1, wrong.stderr);
});
