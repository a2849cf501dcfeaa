/** All that a training run is at a moment, as one value: what is needed to go on with it, here or elsewhere. */
import type { Device, KernelChoice } from "../../engine/device.ts";
import type { AdamWState } from "../../engine/optimizer.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { candidatePlans, plansAmong, type TunedPlans } from "../../engine/plans.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { tuningKey } from "../../engine/tuner.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import { UserError } from "../errors.ts";
import type { NamedTensors } from "../files/run_file.ts";
import type { ParameterSpec } from "../nn/scope.ts";
import type { Method } from "../peft/methods.ts";
import type { Hyperparameters } from "./events.ts";
import type { Metrics } from "./metrics.ts";

/** The best weights so far. */
export interface BestEpoch {
  /** The epoch, from 1, in which their step lies. */
  epoch: number;
  metrics: Metrics;
  weights: NamedTensors;
}

/** What a run is of. Two runs that agree in it, and in texts and weights to start from, are the same run. */
export interface RunIdentity {
  method: Method;
  model: EncoderConfig;
  labels: readonly string[];
  /** Of the training part. */
  examples: number;
  hyperparameters: Hyperparameters;
}

/** The adapter and the kernels' choice on it, on which the last bits depend. */
export interface KernelState {
  /** See {@link tuningKey}. */
  adapter: string;
  choice: KernelChoice;
  tuned: TunedPlans;
}

/**
 * Plain data. Random numbers need no state: they are drawn from the seed, and from epoch and step. What a run is of, and
 * what an evaluation tells, is its kind's own.
 */
export interface TrainState<Identity = RunIdentity, Evaluation = Metrics> {
  of: Identity;
  /** Steps that were made: the next one's number, from 0. */
  step: number;
  /** The epoch of the next step, from 0, and how many of its steps were made: all, where an evaluation is next. */
  epoch: number;
  stepsOfEpoch: number;
  /** The last step's; the best ones, where only the test is left. */
  weights: NamedTensors;
  optimizer: AdamWState;
  best?: BestEpoch;
  /** What the evaluations told so far, whose steps follow from the hyperparameters; the last step's may be still to come. */
  evaluations: Evaluation[];
  /** Real tokens of the steps, and the seconds that they took. */
  tokens: number;
  seconds: number;
  /** Seconds since the first step, evaluation included; from a stop to going on, none are counted. */
  totalSeconds: number;
  peakGpuBytes: number;
  kernels: KernelState;
}

/** Throws a UserError, naming the first setting that differs, where a state is not of this run. */
export function checkIdentity<Identity>(state: { of: Identity }, run: Identity): void {
  const found = difference(state.of, run);
  if (found) {
    throw new UserError(
      `The state to go on from is another run's: its ${found.path} is ${found.was}, not ${found.is}.`,
      { remedy: { kind: "sameRun" } },
    );
  }
}

/** The first place, depth first, where two values of plain data differ. */
function difference(
  was: unknown,
  is: unknown,
  path: readonly string[] = [],
): { path: string; was: string; is: string } | undefined {
  if (isObject(was) && isObject(is)) {
    for (const key of new Set([...Object.keys(was), ...Object.keys(is)])) {
      const found = difference(was[key], is[key], [...path, key]);
      if (found) return found;
    }
    return undefined;
  }
  if (was === is) return undefined;
  const text = (value: unknown) => value === undefined ? "missing" : JSON.stringify(value);
  return { path: path.join("."), was: text(was), is: text(is) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** The kernels that a device takes now. */
export function captureKernels(device: Device): KernelState {
  return { adapter: tuningKey(device), choice: device.kernels, tuned: device.tunedPlans };
}

/** What was chosen where a state says nothing of it, as before there was a choice. */
const beforeF16 = { activations: "f32", nativeF16: false } as const;

/**
 * Lets a device take the tuned plans of a state, where they are of its adapter and kernels, and can be. Returns what
 * differs in the kernels all the same, for the reader.
 */
export function restoreKernels(device: Device, { adapter, choice, tuned }: KernelState): string[] {
  const here = captureKernels(device);
  const was = { ...beforeF16, ...choice };
  const sameAdapter = adapter === here.adapter;
  const sound = plansAmong(candidatePlans(device.info, device.kernels.matmul), tuned);
  if (sameAdapter) device.tunedPlans = sound;
  if (sameAdapter && sound === tuned && !difference(was, here.choice)) return [];
  const what = sameAdapter ? "other kernels" : "another adapter, or another version's kernels";
  return [
    `The run began with ${what}: from here on, the last bits of its results differ from those of a run that ` +
    `was not stopped.`,
  ];
}

/** Reads the trainable tensors back, those at hand or a snapshot's, in the order of the specs. Waits for the GPU. */
export async function readWeights(
  parameters: Parameters,
  specs: readonly ParameterSpec[],
  snapshot?: readonly Tensor[],
): Promise<NamedTensors> {
  const values = snapshot ?? parameters.slabs.map(({ value }) => value);
  const slabs = await Promise.all(values.map((value) => value.read())); // a readback a tensor takes 12 ms each
  const places = new Map(parameters.places().map((place) => [place.name, place]));
  const weights: NamedTensors = new Map();
  for (const { name, shape, trainable } of specs) {
    if (!trainable) continue;
    const { slab, first, size } = places.get(name)!;
    weights.set(name, { shape, data: slabs[slab].slice(first, first + size) });
  }
  return weights;
}

/** Writes them. Throws where they are not those of the specs. */
export function writeWeights(
  parameters: Parameters,
  specs: readonly ParameterSpec[],
  weights: NamedTensors,
): void {
  for (const { name, shape, trainable } of specs) {
    if (!trainable) continue;
    const tensor = weights.get(name);
    if (tensor?.shape.join() !== shape.join()) {
      throw new UserError(
        `The state to go on from has ${tensor ? `[${tensor.shape.join(", ")}]` : "nothing"} for ` +
          `"${name}" [${shape.join(", ")}]: it is another method's or another model's.`,
      );
    }
    const { device, storage, offset } = parameters.get(name);
    device.write(storage, offset, tensor.data);
  }
}
