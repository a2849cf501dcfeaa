/** From flags to the runs of an experiment: methods, hyperparameters, names, warnings. */
import type { BertConfig } from "../models/bert/config.ts";
import { messageOf, UserError } from "../models/errors.ts";
import { loraTargets } from "../models/peft/lora.ts";
import { loraDefaults, type Method, runName } from "../models/peft/method.ts";
import { defaultHyperparameters, type Hyperparameters } from "../models/training/events.ts";
import type { Alpha, MethodName } from "./flag_values.ts";
import type { Flags } from "./flags.ts";

export const defaultRanks = [4, 8, 16];
export const defaultSizes = [64, 128, 256];

/** One run of an experiment. */
export interface PlannedRun {
  /** The folder's name: `full`, `lora-r8`, `adapter-64`. */
  name: string;
  method: Method;
  /** The same in every run of the experiment, but for a learning rate given by method. */
  hyperparameters: Hyperparameters;
}

export interface Plan {
  runs: PlannedRun[];
  /** Sentences on flags that have no effect here. */
  warnings: string[];
}

function alphaOf(alpha: Alpha | undefined, rank: number): number {
  if (alpha === undefined) return loraDefaults(rank).alpha;
  return alpha.kind === "value" ? alpha.value : alpha.factor * rank;
}

function methodsOf(flags: Flags): Method[] {
  const methods: Method[] = [];
  const wants = (name: MethodName) => ["all", name].includes(flags.method ?? "all");
  if (wants("full")) methods.push({ method: "full" });
  if (wants("lora")) {
    for (const rank of flags.rank ?? defaultRanks) {
      const defaults = loraDefaults(rank);
      methods.push({
        method: "lora",
        rank,
        alpha: alphaOf(flags.loraAlpha, rank),
        dropout: flags.loraDropout ?? defaults.dropout,
        targetModules: flags.loraTargetModules ?? defaults.targetModules,
        useRslora: flags.useRslora,
      });
    }
  }
  if (wants("adapter")) {
    for (const size of flags.size ?? defaultSizes) {
      methods.push({ method: "adapter", size, placement: flags.adapterPlacement ?? "shared" });
    }
  }
  return methods;
}

/** A flag that the chosen method does not use is a warning, never silence: it changes nothing. */
function unusedFlags(flags: Flags): string[] {
  const chosen = flags.method ?? "all";
  const warnings: string[] = [];
  const belongs = (owner: MethodName, given: [string, unknown][]) => {
    if (chosen === "all" || chosen === owner) return;
    for (const [name, value] of given) {
      if (value === undefined || value === false) continue;
      warnings.push(`${name} has no effect with --method ${chosen}: it belongs to ${owner}.`);
    }
  };
  belongs("lora", [
    ["--rank", flags.rank],
    ["--lora_alpha", flags.loraAlpha],
    ["--lora_dropout", flags.loraDropout],
    ["--lora_target_modules", flags.loraTargetModules],
    ["--use_rslora", flags.useRslora],
  ]);
  belongs("adapter", [
    ["--size", flags.size],
    ["--adapter_placement", flags.adapterPlacement],
  ]);
  if (chosen === "full" && flags.frozenDtype !== undefined) {
    warnings.push("--frozen_dtype has no effect with --method full: nothing is frozen.");
  }
  const rates = flags.learningRate ?? {};
  if (chosen !== "all" && Object.keys(rates).length > 0 && rates[chosen] === undefined) {
    warnings.push(
      `--learning_rate names no rate for ${chosen}: the default ` +
        `${defaultHyperparameters.learningRate} is used.`,
    );
  }
  if (flags.overwrite && flags.experiment === undefined) {
    warnings.push("--overwrite has no effect without --experiment: a new folder is made.");
  }
  if (flags.useSample) {
    for (
      const [name, value] of [
        ["--text_column", flags.textColumn],
        ["--label_column", flags.labelColumn],
      ]
    ) {
      if (value !== undefined) warnings.push(`${name} has no effect with --use_sample.`);
    }
  }
  return warnings;
}

/**
 * The runs that flags ask for, in the order of the original's table: full, LoRA, adapters. Throws a
 * UserError (wrong use) on flags that contradict each other.
 */
export function planRuns(flags: Flags): Plan {
  if (flags.useSample && flags.dataset !== undefined) {
    throw new UserError(
      `--use_sample and --dataset ${flags.dataset} are two data sets: leave one of them out.`,
      { exitCode: 2 },
    );
  }
  const shared: Hyperparameters = {
    learningRate: defaultHyperparameters.learningRate,
    batchSize: flags.batchSize ?? defaultHyperparameters.batchSize,
    gradientAccumulationSteps: flags.gradientAccumulationSteps ??
      defaultHyperparameters.gradientAccumulationSteps,
    epochs: flags.numEpochs ?? defaultHyperparameters.epochs,
    warmupSteps: flags.warmupSteps ?? defaultHyperparameters.warmupSteps,
    weightDecay: flags.weightDecay ?? defaultHyperparameters.weightDecay,
    maxLength: flags.maxLength ?? defaultHyperparameters.maxLength,
    maxGradNorm: defaultHyperparameters.maxGradNorm,
    seed: flags.seed ?? defaultHyperparameters.seed,
    frozenDtype: flags.frozenDtype ?? defaultHyperparameters.frozenDtype,
    matmulPrecision: flags.matmulPrecision ?? defaultHyperparameters.matmulPrecision,
  };
  const runs = methodsOf(flags).map((method) => ({
    name: runName(method),
    method,
    hyperparameters: {
      ...shared,
      learningRate: flags.learningRate?.[method.method] ?? shared.learningRate,
    },
  }));
  return { runs, warnings: unusedFlags(flags) };
}

/**
 * Fits a plan to the model: a default maximal length shrinks to the model's positions. Throws a
 * UserError (wrong use) where a flag asks for more than the model has.
 */
export function fitToModel(plan: Plan, flags: Flags, config: BertConfig, model: string): Plan {
  if (flags.maxLength !== undefined && flags.maxLength > config.maxPositions) {
    throw new UserError(
      `--max_length ${flags.maxLength} is more than the ${config.maxPositions} positions of ${model}.`,
      { exitCode: 2 },
    );
  }
  const runs = plan.runs.map((run) => {
    if (run.method.method === "lora") {
      try {
        loraTargets(config, run.method.targetModules);
      } catch (error) {
        throw new UserError(`--lora_target_modules: ${messageOf(error)}`, { exitCode: 2 });
      }
    }
    const maxLength = Math.min(run.hyperparameters.maxLength, config.maxPositions);
    return { ...run, hyperparameters: { ...run.hyperparameters, maxLength } };
  });
  return { ...plan, runs };
}

/** The method's name in tables. */
export function methodLabel(method: Method): string {
  return { full: "Full", lora: "LoRA", adapter: "Adapter" }[method.method];
}

/** The configuration in tables: `r=8`, `size=64`, and what differs from the defaults. */
export function configLabel(method: Method): string {
  if (method.method === "full") return "-";
  if (method.method === "adapter") {
    return method.placement === "shared"
      ? `size=${method.size}`
      : `size=${method.size}, ${method.placement}`;
  }
  const defaults = loraDefaults(method.rank);
  const parts = [`r=${method.rank}`];
  if (method.alpha !== defaults.alpha) parts.push(`alpha=${method.alpha}`);
  if (method.dropout !== defaults.dropout) parts.push(`dropout=${method.dropout}`);
  if (method.targetModules.join() !== defaults.targetModules.join()) {
    parts.push(method.targetModules.join("+"));
  }
  if (method.useRslora) parts.push("rslora");
  return parts.join(", ");
}
