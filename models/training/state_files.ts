/**
 * A training run's state as files, and back: tensors as safetensors, all else as JSON. Numbers survive exactly, so that
 * a run which goes on from files is the run that goes on from memory.
 */
import type { AdamWState } from "../../engine/optimizer.ts";
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { isObject, readJsonObject, shown } from "../files/json.ts";
import { type NamedTensors, readTensors, type RunFile } from "../files/run_file.ts";
import type { Metrics } from "./metrics.ts";
import type { RunIdentity, TrainState } from "./state.ts";

const files = {
  weights: "weights.safetensors",
  moments: "moments.safetensors",
  best: "best.safetensors",
  /** The last to be written: a folder that has it is whole. */
  state: "state.json",
};

/** Changes when older programs could not read it, or would read it wrongly. */
const format = 2;

/** AdamW's moments, by the names of their files' tensors. */
const momentNames = {
  mean: (name: string) => `mean.${name}`,
  variance: (name: string) => `variance.${name}`,
};

/** The files of a state, in the order in which they are to be written. Tensors are views, not copies. */
export function stateFiles<Identity, Evaluation>(
  state: TrainState<Identity, Evaluation>,
): RunFile[] {
  const { weights, optimizer, best, ...rest } = state;
  const moments: NamedTensors = new Map();
  for (const [name, { mean, variance }] of optimizer.moments) {
    moments.set(momentNames.mean(name), { shape: [mean.length], data: mean });
    moments.set(momentNames.variance(name), { shape: [variance.length], data: variance });
  }
  const { weights: bestWeights, ...bestFacts } = best ?? {};
  const facts = {
    format,
    ...rest,
    optimizer: {
      steps: optimizer.steps,
      ...(optimizer.lossScale && { lossScale: optimizer.lossScale }),
    },
    ...(best && { best: bestFacts }),
  };
  return [
    { name: files.weights, tensors: weights },
    { name: files.moments, tensors: moments },
    ...(bestWeights ? [{ name: files.best, tensors: bestWeights }] : []),
    { name: files.state, content: `${JSON.stringify(facts, null, 2)}\n` },
  ];
}

/** What `state.json` holds: a state without its tensors. */
type Facts = Omit<TrainState, "weights" | "optimizer" | "best"> & {
  format: number;
  optimizer: Omit<AdamWState, "moments">;
  best?: Omit<NonNullable<TrainState["best"]>, "weights">;
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && Number(value) >= 0;
const isAmount = (value: unknown): boolean => Number.isFinite(value) && Number(value) >= 0;
const isLossScale = (value: unknown): boolean =>
  value === undefined || isObject(value) && isAmount(value.factor) && isCount(value.steps);
const areObjects = (value: unknown): boolean =>
  isObject(value) && Object.values(value).every(isObject);

async function readFacts(folder: Folder): Promise<Facts> {
  const facts = await readJsonObject(folder, files.state);
  const path = pathIn(folder, files.state);
  if (facts.format !== format) {
    throw new UserError(
      `${path} is of format ${shown(facts.format)}; this version reads ${format}.`,
    );
  }
  const { optimizer, kernels, best, evaluations } = facts;
  const wrong = [
    ...["step", "epoch", "stepsOfEpoch", "tokens"].filter((name) => !isCount(facts[name])),
    ...["seconds", "totalSeconds", "peakGpuBytes"].filter((name) => !isAmount(facts[name])),
    ...(isObject(facts.of) ? [] : ["of"]),
    ...(isObject(optimizer) && isCount(optimizer.steps) && isLossScale(optimizer.lossScale)
      ? []
      : ["optimizer"]),
    ...(isObject(kernels) && areObjects(kernels.tuned) && isObject(kernels.choice)
      ? []
      : ["kernels"]),
    ...(best === undefined || isObject(best) && isCount(best.epoch) ? [] : ["best"]),
    ...(Array.isArray(evaluations) && evaluations.every(isObject) ? [] : ["evaluations"]),
  ];
  if (wrong.length > 0) {
    throw new UserError(`${path} is damaged: it lacks ${wrong.join(", ")}.`);
  }
  return facts as unknown as Facts; // written by stateFiles, and of its format
}

/** Reads what {@link stateFiles} gave. Throws a UserError where a file is missing, damaged or of another format. */
export async function readState<Identity = RunIdentity, Evaluation = Metrics>(
  folder: Folder,
): Promise<TrainState<Identity, Evaluation>> {
  const { format: _, best, optimizer, ...rest } = await readFacts(folder);
  const moments: TrainState["optimizer"]["moments"] = new Map();
  const weights = await readTensors(folder, files.weights);
  const tensors = await readTensors(folder, files.moments);
  for (const [name, { data }] of weights) {
    const mean = tensors.get(momentNames.mean(name));
    const variance = tensors.get(momentNames.variance(name));
    if (!mean || !variance) {
      throw new UserError(`${pathIn(folder, files.moments)} lacks the moments of "${name}".`);
    }
    if (mean.data.length !== data.length || variance.data.length !== data.length) {
      throw new UserError(
        `${pathIn(folder, files.moments)} has other numbers of moments than "${name}" has values.`,
      );
    }
    moments.set(name, { mean: mean.data, variance: variance.data });
  }
  return {
    ...rest as unknown as TrainState<Identity, Evaluation>, // a kind of run reads its own folders only
    weights,
    optimizer: { ...optimizer, moments },
    ...(best && { best: { ...best, weights: await readTensors(folder, files.best) } }),
  };
}

/** Whether a folder holds a state: its last file is there. */
export const hasState = (folder: Folder): Promise<boolean> => folder.has(files.state);
