/** `--learning_rate tune`: tries rates on a run's method before it is trained, and keeps the trials, so that a stop loses one. */
import { join } from "node:path";
import * as v from "valibot";
import { counted, UserError } from "../../models/errors.ts";
import { readJsonObject, toJson } from "../../models/files/json.ts";
import { hostFolder } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import type {
  CheckpointEvent,
  Hyperparameters,
  TrainingEvent,
} from "../../models/training/events.ts";
import { lengthOf } from "../../models/training/length.ts";
import { nextTrial, type Trial, trialCount } from "../../models/training/rate_search.ts";
import { formatRate } from "../shared/format.ts";
import type { Place } from "./place.ts";
import type { Shared } from "./one_run.ts";
import type { PlannedRun } from "./plan.ts";
import { createProgress } from "./progress.ts";
import { noteStop } from "./session.ts";
import { startTraining } from "./start.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { StoppedError } from "./watch.ts";
import { trialsFile } from "./work.ts";

const schema = v.object({
  trials: v.array(v.object({
    learningRate: v.pipe(v.number(), v.finite(), v.gtValue(0)),
    steps: v.pipe(v.number(), v.safeInteger(), v.minValue(1)),
    loss: v.optional(v.pipe(v.number(), v.finite())),
    macroF1: v.optional(v.pipe(v.number(), v.finite())),
  })),
});

/** The trials that were made before; none where their file is damaged: they are made again. */
export async function readTrials(work: string, group: string): Promise<Trial[]> {
  const folder = hostFolder(work, 0);
  if (!(await folder.has(trialsFile(group)))) return [];
  const read = v.safeParse(schema, await readJsonObject(folder, trialsFile(group)));
  return read.success ? read.output.trials : [];
}

/** The settings of a trial: a training of so many steps, with as much warm-up in proportion, and one evaluation. */
function settingsOf(
  hyperparameters: Hyperparameters,
  { learningRate, steps }: Pick<Trial, "learningRate" | "steps">,
  examples: number,
): Hyperparameters {
  const { totalSteps, warmupSteps } = lengthOf(hyperparameters, examples);
  return {
    ...hyperparameters,
    learningRate,
    maxSteps: steps,
    evalSteps: steps,
    earlyStoppingPatience: undefined,
    warmupRatio: warmupSteps / totalSteps,
  };
}

/** Whether a training ended because its loss is no number. */
export const isDivergence = (error: unknown) =>
  error instanceof UserError && error.remedy?.kind === "lowerLearningRate";

/** What validation says at a trial's end; nothing where its loss came to no number. */
async function outcomeOf(
  events: AsyncGenerator<TrainingEvent>,
  show: (event: TrainingEvent) => void,
  stoppedAt: (checkpoint: CheckpointEvent) => StoppedError,
): Promise<Pick<Trial, "loss" | "macroF1">> {
  try {
    for await (const event of events) {
      if (event.type === "evaluation") {
        const { loss, macroF1 } = event.metrics;
        return { loss, macroF1 };
      }
      // Its own checkpoints are not kept: a trial is short.
      if (event.type === "checkpoint") throw stoppedAt(event);
      show(event);
    }
  } catch (error) {
    if (!isDivergence(error)) throw error;
  }
  return {};
}

/**
 * The learning rate of a run, searched for unless that was done for its group before, and the trials. Throws a UserError
 * where no rate comes to a number, and a StoppedError where the session was to stop.
 */
export async function tunedRate<Device extends DeviceHandle>(
  { group, name, method, hyperparameters }: PlannedRun,
  place: Place,
  shared: Shared<Device>,
  tools: TrainingTools<Device>,
): Promise<{ learningRate: number; trials: Trial[] }> {
  const { folder, work, model, dataset, split, session, out } = shared;
  const examples = split.train.length;
  const { totalSteps } = lengthOf(hyperparameters, examples);
  const trials = await readTrials(work, group);
  const before = trials.length;
  for (;;) {
    const next = nextTrial(trials, totalSteps);
    if ("chosen" in next) {
      if (next.chosen !== undefined) return { learningRate: next.chosen, trials };
      throw new UserError(`${name}: its loss is no number at any learning rate that was tried.`);
    }
    if (trials.length === before) {
      const from = before === 0 ? "" : `, going on after ${counted(before, "trial")}`;
      out.write(`${name} (${place.text}): searching for its learning rate${from}\n`);
    }
    const { trial } = next;
    const settings = settingsOf(hyperparameters, trial, examples);
    const label = `${formatRate(trial.learningRate)} for ${counted(trial.steps, "step")}`;
    const weights = await tools.openWeights(model, dataset.labels);
    const progress = createProgress(out, {
      place: { text: `trial ${trials.length + 1} of ${trialCount}`, whole: () => "" },
      onlyLine: true,
    });
    try {
      const training = { run: `${name} at ${label}`, method, hyperparameters: settings, weights };
      const events = startTraining(training, shared, tools);
      const where = `${trials.length} of up to ${trialCount} trials of ${name} are kept`;
      const stoppedAt = (checkpoint: CheckpointEvent) => {
        noteStop(session, checkpoint);
        return new StoppedError(session.stop!, folder, where);
      };
      trials.push({ ...trial, ...await outcomeOf(events, progress.show, stoppedAt) });
    } finally {
      progress.clear();
      weights.close();
    }
    await writeFileWhole(join(work, trialsFile(group)), toJson({ trials }));
    const { loss, macroF1 } = trials.at(-1)!;
    const outcome = loss === undefined
      ? "came to no number"
      : `validation loss ${loss.toFixed(4)}  macro F1 ${macroF1!.toFixed(4)}`;
    out.write(`  ${label.padEnd(22)} ${outcome}\n`);
  }
}
