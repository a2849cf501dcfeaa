/** From flags to the runs of an experiment: methods, hyperparameters, names, warnings. */
import { type EncoderConfig, maxTokens } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { miniModel } from "../../models/host/built_in.ts";
import { SettingError } from "../../models/peft/method.ts";
import {
  definitionOf,
  type Method,
  type MethodName,
  methodNames,
  methods,
  runName,
} from "../../models/peft/methods.ts";
import { defaultHyperparameters, type Hyperparameters } from "../../models/training/events.ts";
import type { LearningRates } from "../shared/flag_values.ts";
import { readClassWeights } from "./class_weights.ts";
import type { Flags } from "./flags.ts";
import { fittedName } from "../shared/file_names.ts";
import { formatRate } from "../shared/format.ts";

/** The rate at which all methods do well over the built-in model: see assets/mini/README.md. */
const miniLearningRate = 2e-3;

/** The learning rate of runs that are given none. */
const defaultRate = (model: string | undefined): number =>
  model === miniModel ? miniLearningRate : defaultHyperparameters.learningRate;

/** A sentence on the learning rate, where runs have one that the original does not. */
export function rateNote({ runs }: Plan, flags: Flags, model: string): string | undefined {
  const takesDefault = runs.some(({ method, tuned }) =>
    !tuned && flags.learningRate?.rates[method.method] === undefined
  );
  const [rate, original] = [defaultRate(model), defaultHyperparameters.learningRate];
  if (!takesDefault || rate === original) return undefined;
  return `Learning rate ${formatRate(rate)}, which suits ${model}; --learning_rate ` +
    `${formatRate(original)} is the original's`;
}

/** Leaves room for a seed at the name's end. */
const mostGroupBytes = 160;

/** One run of an experiment. */
export interface PlannedRun {
  /** The folder's name: `full`, `lora-r8`, `adapter-64-tuned`, `full-s2`. */
  name: string;
  /** What its repetitions under other seeds share: the name without the seed. */
  group: string;
  /** Whether its learning rate is searched for first. */
  tuned: boolean;
  method: Method;
  /** The same in every run of the experiment, but for a learning rate given by method. */
  hyperparameters: Hyperparameters;
}

export interface Plan {
  runs: PlannedRun[];
  /** Splits the data, the same for all runs. */
  splitSeed: number;
  /** Sentences on flags that have no effect here. */
  warnings: string[];
}

/** The methods that are to run: one, or those of the comparison. */
function chosenMethods({ method = "all" }: Flags): MethodName[] {
  return method === "all" ? methodNames.filter((name) => methods[name].compared) : [method];
}

const methodsOf = (flags: Flags): Method[] =>
  chosenMethods(flags).flatMap((name): Method[] => methods[name].plan(flags.settings));

/** A flag that the chosen method does not use is a warning, never silence: it changes nothing. */
function unusedFlags(flags: Flags): string[] {
  const chosen = flags.method ?? "all";
  const unused = methodNames.filter((name) => !chosenMethods(flags).includes(name));
  const warnings: string[] = [];
  const given: Readonly<Record<string, unknown>> = flags.settings;
  for (const owner of unused) {
    for (const name of Object.keys(methods[owner].settings)) {
      if (given[name] === undefined || given[name] === false) continue;
      warnings.push(`--${name} has no effect with --method ${chosen}: it belongs to ${owner}.`);
    }
  }
  const trainAll = chosenMethods(flags).every((name) => methods[name].trainsAll);
  if (trainAll && flags.frozenDtype !== undefined) {
    warnings.push(`--frozen_dtype has no effect with --method ${chosen}: nothing is frozen.`);
  }
  const warmup = flags.warmupSteps !== undefined ? "--warmup_steps" : "--warmup_ratio";
  if (flags.lrScheduler === "constant" && (flags.warmupSteps ?? flags.warmupRatio) !== undefined) {
    warnings.push(
      `${warmup} has no effect with --lr_scheduler constant: constant_with_warmup has a warm-up.`,
    );
  }
  if (flags.maxSteps !== undefined && flags.numEpochs !== undefined) {
    warnings.push(
      `--num_epochs has no effect with --max_steps: epochs repeat until the last step.`,
    );
  }
  warnings.push(
    ...unusedRates(flags.learningRate?.rates ?? {}, chosen, unused, flags.modelName),
  );
  if (flags.overwrite && flags.experiment === undefined) {
    warnings.push("--overwrite has no effect without --experiment: a new folder is made.");
  }
  if (flags.useSample) {
    for (
      const [name, value] of [
        ["--text_column", flags.textColumn],
        ["--label_column", flags.labelColumn],
        ["--split_by", flags.splitBy],
        ["--encoding", flags.encoding],
        ["--quoting", flags.quoting],
      ]
    ) {
      if (value !== undefined) warnings.push(`${name} has no effect with --use_sample.`);
    }
  }
  return warnings;
}

/** A rate by method's name that no run has, and a run that has none. */
function unusedRates(
  rates: Partial<LearningRates>,
  chosen: MethodName | "all",
  unused: MethodName[],
  model: string | undefined,
): string[] {
  const named = methodNames.filter((name) => rates[name] !== undefined);
  const forAll = named.length === methodNames.length && new Set(Object.values(rates)).size === 1;
  if (named.length === 0 || forAll) return [];
  if (chosen !== "all" && !named.includes(chosen)) {
    return [
      `--learning_rate names no rate for ${chosen}: the default ` +
      `${formatRate(defaultRate(model))} is used.`,
    ];
  }
  return named.filter((name) => unused.includes(name)).map((name) =>
    `--learning_rate ${name}=${formatRate(rates[name]!)} has no effect with --method ${chosen}.`
  );
}

/**
 * The runs that flags ask for, in the order of the table of methods, or those of methods that something else chose. Throws a UserError (wrong use) on
 * flags that contradict each other, and one on a file of class weights that cannot be read.
 */
export function planRuns(flags: Flags, chosen: readonly Method[] = methodsOf(flags)): Plan {
  if (flags.useSample && flags.dataset !== undefined) {
    throw new UserError(
      `--use_sample and --dataset ${flags.dataset} are two data sets: leave one of them out.`,
      { exitCode: 2 },
    );
  }
  if (flags.warmupRatio !== undefined && flags.warmupSteps !== undefined) {
    throw new UserError(
      `--warmup_ratio ${flags.warmupRatio} and --warmup_steps ${flags.warmupSteps} are two warm-ups: ` +
        `leave one of them out.`,
      { exitCode: 2 },
    );
  }
  const shared: Hyperparameters = {
    learningRate: defaultHyperparameters.learningRate,
    batchSize: flags.batchSize ?? defaultHyperparameters.batchSize,
    gradientAccumulationSteps: flags.gradientAccumulationSteps ??
      defaultHyperparameters.gradientAccumulationSteps,
    // Where steps are given, the number of epochs tells nothing of a run.
    epochs: (flags.maxSteps === undefined ? flags.numEpochs : undefined) ??
      defaultHyperparameters.epochs,
    ...(flags.maxSteps !== undefined && { maxSteps: flags.maxSteps }),
    ...(flags.evalSteps !== undefined && { evalSteps: flags.evalSteps }),
    ...(flags.earlyStoppingPatience !== undefined &&
      { earlyStoppingPatience: flags.earlyStoppingPatience }),
    ...(flags.labelSmoothing && { labelSmoothing: flags.labelSmoothing }),
    ...(flags.classWeights !== undefined &&
      { classWeights: readClassWeights(flags.classWeights) }),
    scheduler: flags.lrScheduler ?? defaultHyperparameters.scheduler,
    warmupSteps: flags.warmupSteps ?? defaultHyperparameters.warmupSteps,
    ...(flags.warmupRatio !== undefined && { warmupRatio: flags.warmupRatio }),
    weightDecay: flags.weightDecay ?? defaultHyperparameters.weightDecay,
    maxLength: flags.maxLength ?? defaultHyperparameters.maxLength,
    maxGradNorm: flags.maxGradNorm ?? defaultHyperparameters.maxGradNorm,
    seed: flags.seed ?? defaultHyperparameters.seed,
    frozenDtype: flags.frozenDtype ?? flags.computeDtype ?? defaultHyperparameters.frozenDtype,
    matmulPrecision: flags.matmulPrecision ?? defaultHyperparameters.matmulPrecision,
    computeDtype: flags.computeDtype ?? defaultHyperparameters.computeDtype,
  };
  const { rates, given, tuned } = flags.learningRate ?? { rates: {}, given: true, tuned: false };
  const searches = [...(given ? [false] : []), ...(tuned ? [true] : [])];
  // Seed by seed, so that what is done at any moment is a comparison.
  const runs = (flags.seeds ?? [shared.seed]).flatMap((seed) =>
    chosen.flatMap((method) =>
      searches.map((tuned): PlannedRun => {
        const group = fittedName(`${runName(method)}${tuned ? "-tuned" : ""}`, mostGroupBytes);
        const learningRate = (tuned ? undefined : rates[method.method]) ?? shared.learningRate;
        return {
          name: flags.seeds === undefined ? group : `${group}-s${seed}`,
          group,
          tuned,
          method,
          hyperparameters: { ...shared, seed, learningRate },
        };
      })
    )
  );
  return { runs, splitSeed: shared.seed, warnings: unusedFlags(flags) };
}

/**
 * Fits a plan to the model: a default maximal length shrinks to the model's positions, a default learning rate is
 * the model's. Throws a UserError (wrong use) where a flag asks for more than the model has.
 */
export function fitToModel(plan: Plan, flags: Flags, config: EncoderConfig, model: string): Plan {
  const longest = maxTokens(config);
  if (flags.maxLength !== undefined && flags.maxLength > longest) {
    throw new UserError(
      `--max_length ${flags.maxLength} is more than the ${longest} positions of ${model}.`,
      { exitCode: 2 },
    );
  }
  const runs = plan.runs.map((run) => {
    try {
      const method = definitionOf(run.method).fit(run.method, config);
      const maxLength = Math.min(run.hyperparameters.maxLength, longest);
      const learningRate = flags.learningRate?.rates[method.method] ?? defaultRate(model);
      return {
        ...run,
        method,
        hyperparameters: { ...run.hyperparameters, maxLength, learningRate },
      };
    } catch (error) {
      if (!(error instanceof SettingError)) throw error;
      throw new UserError(`--${error.setting}: ${error.message}`, { exitCode: 2, cause: error });
    }
  });
  return { ...plan, runs };
}

/** The method's name in tables. */
export const methodLabel = (method: Method): string => definitionOf(method).label;

/** The configuration in tables: `r=8`, `size=64`, and what differs from the defaults. */
export const configLabel = (method: Method): string => definitionOf(method).configLabel(method);
