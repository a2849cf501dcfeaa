/** Runs on the GPU, ready to label text after text: the base that they share is loaded once. */
import { createDevice, type Device } from "../../engine/device.ts";
import type { Dtype } from "../../engine/pack.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { sizeOf } from "../../engine/shape.ts";
import { createBase, type MethodModel } from "../../models/model.ts";
import { buildRun, encodingOf, probabilitiesBy } from "./predictor.ts";
import { openBase, type TrainedRun } from "./run.ts";
import { isWhole, type NamedRun } from "./runs.ts";

/** What a run took beside the others. */
export interface RunTiming {
  name: string;
  whole: boolean;
  /** Values that it trained, and the milliseconds until they were on the GPU. */
  trained: number;
  placing: number;
  /** Milliseconds a sentence, for each call of {@link Labeller.label}. */
  perSentence: number[];
}

export interface Labeller {
  /** Of each run, in their order, the probabilities of its labels for each text. */
  label(texts: readonly string[]): Promise<Float64Array[][]>;
  timings: readonly RunTiming[];
  close(): void;
}

interface PlacedRun extends NamedRun {
  built: MethodModel;
  encode(text: string): number[];
}

/** Loads runs on a device, which stays the caller's: the frozen weights that they share once, then what each trained. */
export async function placeRuns(device: Device, runs: readonly NamedRun[]): Promise<Labeller> {
  const bases = new Map<Dtype, Parameters>();
  const placed: PlacedRun[] = [];
  const timings: RunTiming[] = [];
  const close = () => {
    for (const { built } of placed) built.destroy();
    for (const base of bases.values()) base.destroy();
  };
  try {
    for (const named of runs) {
      const { run, name, sizes } = named;
      const whole = isWhole(run);
      // A run alone takes no more of its base than it leaves frozen.
      const base = whole || runs.length === 1 ? undefined : await sharedBase(device, run, bases);
      const encode = await encodingOf(run, sizes.maxLength);
      const start = performance.now();
      const built = await buildRun(device, run, base);
      placed.push({ ...named, built, encode });
      await device.gpu.queue.onSubmittedWorkDone();
      const own = built.specs.filter(({ trainable }) => trainable);
      timings.push({
        name,
        whole,
        trained: own.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
        placing: performance.now() - start,
        perSentence: [],
      });
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    timings,
    close,
    async label(texts) {
      const all: Float64Array[][] = [];
      for (const [place, { run, built, encode, sizes }] of placed.entries()) {
        const start = performance.now();
        const ids = texts.map(encode);
        all.push(await probabilitiesBy(device, run, built, ids, sizes.batchSize));
        timings[place].perSentence.push((performance.now() - start) / texts.length);
      }
      return all;
    },
  };
}

/** The base of a run as it was trained over it, in f32 or packed; loaded where no run before it had the same. */
async function sharedBase(
  device: Device,
  run: TrainedRun,
  bases: Map<Dtype, Parameters>,
): Promise<Parameters> {
  const { frozenDtype, model: { config } } = run;
  const known = bases.get(frozenDtype);
  if (known) return known;
  const weights = await openBase(run);
  try {
    const base = await createBase(device, { config, weights, frozenDtype });
    bases.set(frozenDtype, base);
    return base;
  } finally {
    weights.close();
  }
}

/** Loads runs on a device of their own. */
export async function openLabeller(runs: readonly NamedRun[]): Promise<Labeller> {
  // In f32, also what was trained with products of f16: any adapter has it, and it is the more exact.
  const device = await createDevice();
  try {
    const labeller = await placeRuns(device, runs);
    return { ...labeller, close: () => device.destroy() };
  } catch (error) {
    device.destroy();
    throw error;
  }
}
