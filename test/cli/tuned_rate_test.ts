/** Seeds and searched learning rates, with the fake training: which trainings are made, kept and told. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { newSession } from "../../cli/train/session.ts";
import { runExperiment } from "../../cli/train/experiment.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { planRuns } from "../../cli/train/plan.ts";
import { findResumed } from "../../cli/train/resume.ts";
import { StoppedError } from "../../cli/train/watch.ts";
import { UserError } from "../../models/errors.ts";
import { readTrials } from "../../cli/train/tuned_rate.ts";
import { rateGrid, trialCount } from "../../models/training/rate_search.ts";
import { withFolder } from "../files/temporary.ts";
import { fakeTools } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";

const hub = { endpoint: "", cacheFolder: "", offline: true };

interface Made {
  run: string;
  rate: number;
  steps: number | undefined;
  seed: number;
}

/** Runs an experiment whose losses are a function of the rate; `stopAt`: another rank is to stop in the so-manieth training. */
async function experiment(
  folder: string,
  args: string[],
  lossOf: (rate: number) => number | undefined,
  stopAt = Infinity,
) {
  const command = ["--output_dir", folder, ...args];
  const parsed = parseFlags(command);
  assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
  const found = parsed.flags.resume === undefined ? undefined : await findResumed(parsed.flags);
  assert.ok(!found?.finished);
  const { flags, resumed } = { resumed: undefined, ...found ?? parsed };
  const [made, session, out]: [Made[], ReturnType<typeof newSession>, ReturnType<typeof recorder>] =
    [
      [],
      newSession(),
      recorder(),
    ];
  const tools = fakeTools();
  const { train } = tools;
  tools.train = async function* (options, from) {
    const { learningRate: rate, maxSteps: steps, seed } = options.hyperparameters;
    made.push({ run: options.run, rate, steps, seed });
    if (made.length === stopAt) {
      const capture = () => Promise.reject(new Error("not kept"));
      yield { type: "checkpoint", step: 1, stopRequested: true, capture };
    }
    for await (const event of train(options, from)) {
      if (event.type !== "evaluation") yield event;
      else {
        const loss = lossOf(rate);
        if (loss === undefined) {
          throw new UserError("NaN", { remedy: { kind: "lowerLearningRate", rate } });
        }
        yield { ...event, metrics: { ...event.metrics, loss } };
      }
    }
  };
  const plan = planRuns(flags);
  const settings = { flags, plan, hub, command, resumed, out, err: recorder(), session };
  const ended = runExperiment(settings, tools);
  return { ended, made, out };
}

const readJson = async (...path: string[]) => JSON.parse(await Deno.readTextFile(join(...path)));
const byDistance = (best: number) => (rate: number) => Math.abs(Math.log10(rate / best));

Deno.test("each method gets a rate of its own from as many trials, and the run tells them", () =>
  withFolder(async (folder) => {
    const args = [
      "--experiment",
      "e",
      "--method",
      "lora",
      "--rank",
      "4,8",
      "--learning_rate",
      "tune",
    ];
    const { ended, made, out } = await experiment(folder, args, byDistance(1e-3));
    await ended;
    assert.equal(made.length, 2 * (trialCount + 1));
    const run = await readJson(folder, "e", "lora-r8-tuned", "run.json");
    assert.equal(run.group, "lora-r8-tuned");
    assert.equal(run.hyperparameters.learning_rate, 1e-3);
    assert.equal("max_steps" in run.hyperparameters, false);
    assert.equal(run.learning_rate_trials.length, trialCount);
    assert.deepEqual(run.learning_rate_trials[0], {
      learning_rate: rateGrid[0],
      steps: made[0].steps,
      loss: 2,
      macro_f1: run.learning_rate_trials[0].macro_f1,
    });
    assert.match(
      out.text,
      /lora-r4-tuned \(1 of 2\): searching .*\n {2}1e-5 for \d+ steps? +validation loss/,
    );
  }));

Deno.test("rates at which training comes to no number are tried and left; where all do, it is told", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full", "--learning_rate", "tune"];
    const { ended, out } = await experiment(folder, args, (rate) => rate > 1e-4 ? undefined : 1);
    await ended;
    assert.match(out.text, /3e-2 for \d+ steps? +came to no number/);
    const none = await experiment(folder, ["--experiment", "f", ...args.slice(2)], () => undefined);
    await assert.rejects(none.ended, /full-tuned: its loss is no number at any learning rate/);
  }));

Deno.test("a search that is stopped goes on after its last finished trial", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full", "--learning_rate", "tune"];
    const first = await experiment(folder, args, byDistance(1e-3), 4);
    await assert.rejects(first.ended, (error) => {
      assert.ok(error instanceof StoppedError);
      assert.deepEqual(error.stop, { signal: "a signal to another rank", exitCode: 143 });
      assert.equal(error.where, `3 of up to ${trialCount} trials of full-tuned are kept`);
      return true;
    });
    const rest = await experiment(folder, ["--resume", join(folder, "e")], byDistance(1e-3));
    await rest.ended;
    assert.equal(rest.made.length, trialCount - 3 + 1);
    assert.match(rest.out.text, /full-tuned \(1 of 1\): searching .*, going on after 3 trials\n/);
    const whole = await experiment(
      folder,
      ["--experiment", "w", ...args.slice(2)],
      byDistance(1e-3),
    );
    await whole.ended;
    const trialsOf = async (name: string) =>
      (await readJson(folder, name, "full-tuned", "run.json")).learning_rate_trials;
    assert.deepEqual(await trialsOf("e"), await trialsOf("w"));
  }));

Deno.test("shared and tuned stand side by side; seeds repeat runs on one split, with the rate of the first", () =>
  withFolder(async (folder) => {
    const args = ["--experiment", "e", "--method", "full", "--learning_rate", "shared,tune"];
    const { ended, made } = await experiment(
      folder,
      [...args, "--seeds", "7,8", "--seed", "5"],
      byDistance(1e-3),
    );
    const { runs } = await ended;
    assert.deepEqual(runs.map(({ run }) => run), [
      "full-s7",
      "full-tuned-s7",
      "full-s8",
      "full-tuned-s8",
    ]);
    assert.deepEqual(runs.map(({ hyperparameters }) => hyperparameters.learning_rate), [
      2e-5,
      1e-3,
      2e-5,
      1e-3,
    ]);
    assert.deepEqual(
      new Set(made.filter(({ steps }) => steps).map(({ seed }) => seed)),
      new Set([7]),
    );
    assert.equal(made.length, 4 + trialCount);
    for (const { dataset } of runs) assert.equal(dataset.split.seed, 5);
    const { seeds, ...one } = await readJson(folder, "e", "full-s8", "run.json").then((run) => ({
      seeds: run.hyperparameters.seed,
      group: run.group,
    }));
    assert.deepEqual([seeds, one], [8, { group: "full" }]);
  }));

Deno.test("trials whose numbers no search wrote are made again", () =>
  withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "checkpoints"));
    const path = join(folder, "checkpoints", "lora.trials.json");
    const trial = { learningRate: 1e-3, steps: 20, loss: 1.5, macroF1: 0.5 };
    const read = async (changed: object) => {
      await Deno.writeTextFile(path, JSON.stringify({ trials: [{ ...trial, ...changed }] }));
      return await readTrials(join(folder, "checkpoints"), "lora");
    };
    assert.deepEqual(await read({}), [trial]);
    const damaged = [{ learningRate: 0 }, { learningRate: -1 }, { steps: 0 }, { steps: 2 ** 60 }];
    for (const changed of damaged) assert.deepEqual(await read(changed), []);
    await Deno.writeTextFile(path, JSON.stringify({ trials: [trial] }).replace("1.5", "1e999"));
    assert.deepEqual(await readTrials(join(folder, "checkpoints"), "lora"), []);
  }));
