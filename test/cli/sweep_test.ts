/** Sweeps: their tasks, and how these share a folder, go on and are passed over. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { main as report } from "../../cli/report.ts";
import { finishSweep } from "../../cli/sweep/finish.ts";
import { openSweep } from "../../cli/sweep/folder.ts";
import { newSession } from "../../cli/train/session.ts";
import { UserError } from "../../models/errors.ts";
import { exists } from "../../models/host/files.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { runProgram, until } from "./command.ts";
import { experiment, readJson, tree } from "./experiment.ts";
import type { FakeOptions } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";
import { startSweep, sweep, train } from "./sweep.ts";

const runsOf = (...args: string[]) => sweep(...args).tasks.map(({ run }) => run);

Deno.test("a sweep has a task for each method, size, rate and seed, seed by seed", () => {
  assert.deepEqual(runsOf("--methods", "lora,full", "--ranks", "4,8", "--seeds", "1,2"), [
    ...["full-s1", "lora-r4-s1", "lora-r8-s1", "full-s2", "lora-r4-s2", "lora-r8-s2"],
  ]);
  assert.deepEqual(runsOf(), [
    ...["full", "lora-r4", "lora-r8", "lora-r16", "adapter-64", "adapter-128", "adapter-256"],
  ]);
  const rates = ["--learning_rates", "1e-3,full=2e-5,tune"];
  assert.deepEqual(runsOf("--methods", "full,ia3", ...rates), [
    ...["full-lr1e-3", "full-lr2e-5", "full-tuned", "ia3-lr1e-3", "ia3-tuned"],
  ]);
  assert.deepEqual(runsOf("--methods=ia3", "--learning-rates=5e-3"), ["ia3"], "one needs no name");
});

Deno.test("a task is a command line of train, with all that is no list of the sweep's", () => {
  const { tasks, shared } = sweep(
    ...["--methods", "lora", "--ranks", "4,8", "--batch-size=8", "--seeds", "3", "--use_dora"],
    ...["--experiment", "e", "--launcher", "slurm", "--baselines", "--checkpoint_steps", "5"],
  );
  const [first, second] = tasks;
  assert.deepEqual(first.arguments, [
    ...["--batch_size=8", "--use_dora", "--baselines"],
    ...["--method", "lora", "--rank", "4", "--seeds", "3"],
  ]);
  assert.ok(!second.arguments.includes("--baselines"), "they are trained once");
  assert.equal(second.planned.hyperparameters.batchSize, 8);
  assert.equal(second.planned.hyperparameters.seed, 3);
  assert.equal(second.flags.checkpointSteps, 5);
  assert.deepEqual(shared, [
    ...["--methods", "lora", "--ranks", "4,8", "--batch_size=8", "--seeds", "3", "--use_dora"],
    ...["--baselines", "--checkpoint_steps", "5"],
  ]);
});

Deno.test("a setting is warned of where no method of the sweep has it", () => {
  const warnings = (methods: string) =>
    sweep("--methods", methods, "--lora_dropout", "0.2").tasks.flatMap(({ plan }) => plan.warnings);
  assert.deepEqual(warnings("full,lora"), []);
  assert.match(warnings("full,ia3").join(), /--lora_dropout has no effect with --method full/);
});

Deno.test("without a name the same flags have the same folder, and others another", () => {
  const name = (...args: string[]) =>
    sweep("--use_sample", "--model_name", "mini", ...args).experiment;
  assert.match(name(), /^sweep-mini-sample-[0-9a-f]{8}$/);
  assert.equal(name("--checkpoint_steps", "5", "--jobs", "2"), name());
  assert.notEqual(name("--batch_size", "8"), name());
});

Deno.test("wrong flags are told in a sentence, as wrong use", () => {
  const wrong: [string[], RegExp][] = [
    [["--methods", "full", "--ranks", "4"], /^--ranks is of lora, .* --methods full: add it/],
    [["--methods", "full", "--sizes", "4"], /^--sizes is of adapter/],
    [["--learning_rates", "ia3=1"], /^--learning_rates ia3=1 is of a method that is not among/],
    [["--learning_rates", "1e-3,full=1e-3"], /ask for full-lr1e-3 twice/],
    [["--task", "7"], /^--task 7 is none of the 7 tasks, which are numbered from 0/],
    [["--use_sample", "--dataset", "x"], /are two data sets/],
  ];
  for (const [args, expected] of wrong) {
    assert.throws(() => sweep(...args), (error) => {
      assert.ok(error instanceof UserError && error.exitCode === 2, `${error}`);
      assert.match(error.message, expected);
      return true;
    });
  }
});

Deno.test("a folder holds one sweep; a sweep of other flags, train and --resume are refused there", () =>
  withFolder(async (folder) => {
    const place = ["--output_dir", folder, "--experiment", "e"];
    const asked = sweep(...place, "--methods", "lora");
    await openSweep(asked.folder, asked.tasks);
    await openSweep(asked.folder, asked.tasks);
    const other = sweep(...place, "--methods", "lora", "--batch_size", "8");
    await assert.rejects(
      openSweep(other.folder, other.tasks),
      /holds a sweep of other flags.* task 0 is lora-r4 .*Give the same flags, or another --exp/,
    );
    await assert.rejects(
      experiment(folder, place.slice(2)),
      /is the folder of a sweep, whose tasks/,
    );
    await assert.rejects(
      experiment(folder, ["--resume", asked.folder]),
      /give deno task sweep the same/,
    );
    await experiment(folder, ["--experiment", "f", "--method", "full"]);
    const taken = sweep("--output_dir", folder, "--experiment", "f");
    await assert.rejects(openSweep(taken.folder, taken.tasks), /an experiment that is no sweep/);
  }));

Deno.test("two processes that do all tasks at once train each once, over one base", () =>
  withFolder(async (folder) => {
    const asked = sweep("--output_dir", folder, "--experiment", "e", "--methods", "lora,adapter");
    const seen: NonNullable<FakeOptions["seen"]> = [];
    const doAll = async () => {
      await openSweep(asked.folder, asked.tasks);
      for (const number of asked.tasks.keys()) await train(asked, number, { seen, bases: [] });
      await finishSweep(asked.folder, asked.tasks, recorder());
    };
    await Promise.all([doAll(), doAll()]);
    const names = asked.tasks.map(({ run }) => run);
    assert.deepEqual(seen.map(({ run }) => run).toSorted(), names.toSorted());
    const compared = ["csv", "html", "json", "md", "tex"].map((end) => `comparison.${end}`);
    const expected = ["base", ...compared, "logs", "sweep.json", ...names];
    assert.deepEqual(await namesIn(asked.folder), expected.toSorted());
    assert.equal((await readJson(asked.folder, "comparison.json")).rows.length, 6);
  }));

Deno.test("a task that was stopped goes on from its checkpoint, and one that failed says how", () =>
  withFolder(async (folder) => {
    const asked = sweep("--output_dir", folder, "--experiment", "e", "--methods", "lora");
    await openSweep(asked.folder, asked.tasks);
    const session = newSession();
    const cwd = Deno.cwd();
    Deno.chdir(folder); // where the fake training says that it hangs
    try {
      const stopped = train(asked, 1, { hangIn: "lora-r8" }, { session });
      until(() => exists("hangs")).then(() => {
        session.stop = { signal: "SIGTERM", exitCode: 143 };
      });
      await assert.rejects(stopped, /SIGTERM: lora-r8 is kept as of step 2/);
    } finally {
      Deno.chdir(cwd);
    }
    assert.deepEqual(await namesIn(join(asked.folder, "tasks")), ["lora-r8"], "and no claim");
    await train(asked, 0);
    assert.equal(await train(asked, 1), "trained");
    assert.deepEqual((await readJson(asked.folder, "lora-r8", "run.json")).resumed_at_steps, [2]);
    assert.equal(await train(asked, 1), "was done");
    await assert.rejects(train(asked, 2, { failIn: "lora-r16" }), /^Error: The GPU went away\.$/);
    assert.deepEqual(await namesIn(join(asked.folder, "tasks")), []);
    const out = recorder(400);
    assert.equal(await report([asked.folder], out, out), 0);
    assert.match(out.text, /: 2 runs, .*\n.*: 2 of 3 tasks of the sweep are done\.\n$/);
    assert.equal((await readJson(asked.folder, "comparison.json")).rows.length, 2);
  }));

Deno.test("what a process left that was killed is put in order by the next, and others' is left alone", () =>
  withFolder(async (folder) => {
    const asked = sweep("--output_dir", folder, "--experiment", "e", "--methods", "lora");
    await openSweep(asked.folder, asked.tasks);
    const id = crypto.randomUUID();
    const left = [`.lora-r4.${id}.tmp`, `.lora-r8.${id}.tmp`];
    for (const name of left) await Deno.mkdir(join(asked.folder, name));
    await train(asked, 0);
    const hidden = (await namesIn(asked.folder)).filter((name) => name.startsWith("."));
    assert.deepEqual(hidden, [`.lora-r8.${id}.tmp`]);
    // Killed after it had saved the run, and before it could say so.
    await Deno.mkdir(join(asked.folder, "tasks", "lora-r4"), { recursive: true });
    assert.equal(await train(asked, 0), "was done");
  }));

Deno.test("rows that differ in their rate alone say which is theirs", () =>
  withFolder(async (folder) => {
    const rates = ["--learning_rates", "1e-3,5e-4,tune", "--seeds", "1,2"];
    const asked = sweep("--output_dir", folder, "--experiment", "e", "--methods", "full", ...rates);
    await openSweep(asked.folder, asked.tasks);
    for (const number of asked.tasks.keys()) await train(asked, number);
    const comparison = await finishSweep(asked.folder, asked.tasks, recorder());
    assert.deepEqual(comparison?.rows.map(({ label, runs }) => [label, runs.length]), [
      ["Full 1e-3", 2],
      ["Full 5e-4", 2],
      ["Full tuned", 2],
    ]);
    assert.deepEqual(comparison?.leftOut, []);
  }));

Deno.test("the command trains all, passes over what is done, and leaves to another what that trains", () =>
  withFolder(async (folder) => {
    const args = ["--methods", "lora", "--experiment", "e"];
    // The first hangs in its first task until it is killed, as a machine that loses its power.
    const first = startSweep(folder, args, { hangIn: "lora-r4", deaf: true });
    const claim = join(folder, "results/e/tasks/lora-r4.claim-1");
    await until(() => exists(join(folder, "hangs")));
    const second = await startSweep(folder, [...args, "--jobs", "2"]).ended();
    assert.equal(second.code, 75, second.stderr);
    assert.match(
      second.stdout,
      /\n2 of 3 tasks are done: results\/e\n.*other processes: lora-r4\n/,
    );
    const [, process] = (await Deno.readTextFile(claim)).split(" ");
    await runProgram("kill", ["-KILL", process]);
    const killed = await first.ended();
    assert.equal(killed.code, 1, killed.stdout);
    assert.match(
      killed.stdout,
      /\nFailed: lora-r4\nThe same command goes on with what is left\.\n$/,
    );
    const third = await startSweep(folder, [...args, "--json"]).ended();
    assert.equal(third.code, 0, third.stderr);
    const { done, failed, comparison } = JSON.parse(third.stdout);
    assert.deepEqual([done, failed], [["lora-r4", "lora-r8", "lora-r16"], []]);
    assert.equal(comparison.rows.length, 3);
    assert.doesNotMatch(third.stderr, /Task [12]/);
    assert.deepEqual(
      (await tree(join(folder, "results/e"))).filter((path) => /tasks|claim/.test(path)),
      [],
    );
  }));

Deno.test("a task that another process had, and has ended since, is done", () =>
  withFolder(async (folder) => {
    const { code, stdout, stderr } = await startSweep(folder, ["--methods", "ia3"], {
      taskCode: 75,
    })
      .ended();
    assert.match(stdout, /\n1 of 1 task is done: results\/[^\n]+\n$/);
    assert.equal(code, 0, stderr);
  }));
