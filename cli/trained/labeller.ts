/** Runs on the GPU, ready to label text after text: the base that they share is loaded once. */
import { createDevice, type Device } from "../../engine/device.ts";
import type { Dtype } from "../../engine/pack.ts";
import type { Parameters } from "../../engine/parameters.ts";
import type { ComputeDtype } from "../../engine/precision.ts";
import { sizeOf } from "../../engine/shape.ts";
import { createBase, type MethodModel } from "../../models/model.ts";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import { buildRun, probabilitiesBy, tokenizerOf } from "./predictor.ts";
import { openBase, type TrainedRun } from "./run.ts";
import { isWhole, type NamedRun } from "./runs.ts";

/** What a run took beside the others. */
export interface RunTiming {
  name: string;
  whole: boolean;
  /** Values that it trained, and the milliseconds until they were on the GPU. */
  trained: number;
  placing: number;
  /** Milliseconds a sentence, for each call of {@link Labeller.label}; without the compiling of kernels. */
  perSentence: number[];
}

/** What the frozen weights that runs share took. */
export interface BaseTiming {
  name: string;
  dtype: Dtype;
  placing: number;
}

export interface Labeller {
  /** Of each run, in their order, the probabilities of its labels for each text. */
  label(texts: readonly string[]): Promise<Float64Array[][]>;
  timings: { bases: readonly BaseTiming[]; runs: readonly RunTiming[] };
  /** What of their tokenizers the reader must not overlook. */
  notices: readonly string[];
  close(): void;
}

interface PlacedRun extends NamedRun {
  built: MethodModel;
  encode(text: string): number[];
}

/** Loads runs on a device, which stays the caller's: the frozen weights that they share once, then what each trained. */
export async function placeRuns(device: Device, runs: readonly NamedRun[]): Promise<Labeller> {
  const bases = new Map<Dtype, Parameters>();
  const tokenizers = new Map<string, Tokenizer>();
  const placed: PlacedRun[] = [];
  const timings = { bases: [] as BaseTiming[], runs: [] as RunTiming[] };
  const alone = runs.length === 1;
  const close = () => {
    for (const { built } of placed) built.destroy();
    for (const base of bases.values()) base.destroy();
  };
  try {
    for (const named of runs) {
      const { run, name, sizes } = named;
      const whole = isWhole(run);
      const { frozenDtype: dtype, model } = run;
      const shares = alone ? false : !whole; // a run alone takes no more of its base than it leaves frozen
      if (shares && !bases.has(dtype)) {
        const placing = await timed(
          device,
          async () => bases.set(dtype, await loadBase(device, run)),
        );
        timings.bases.push({ name: model.name, dtype, placing });
      }
      const tokenizer = tokenizers.get(model.folder) ?? await tokenizerOf(run);
      tokenizers.set(model.folder, tokenizer);
      const encode = (text: string) => tokenizer.encode(text, sizes.maxLength);
      const placing = await timed(device, async () => {
        const built = await buildRun(device, run, shares ? bases.get(dtype) : undefined);
        placed.push({ ...named, built, encode });
      });
      const own = placed[placed.length - 1].built.specs.filter(({ trainable }) => trainable);
      const trained = own.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
      timings.runs.push({ name, whole, trained, placing, perSentence: [] });
    }
  } catch (error) {
    close();
    throw error;
  }
  return {
    timings,
    notices: [...tokenizers.values()].flatMap(({ notices }) => notices),
    close,
    async label(texts) {
      const all: Float64Array[][] = [];
      for (const [place, { run, built, encode, sizes }] of placed.entries()) {
        const { perSentence } = timings.runs[place];
        const compute = async (texts: readonly string[]) =>
          await probabilitiesBy(device, run, built, texts.map(encode), sizes.batchSize);
        if (!alone && perSentence.length === 0) await compute(texts.slice(0, 1)); // compiles the kernels
        const start = performance.now();
        all.push(await compute(texts));
        perSentence.push((performance.now() - start) / texts.length);
      }
      return all;
    },
  };
}

/** Milliseconds until what was done is on the GPU. */
async function timed(device: Device, run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  await device.gpu.queue.onSubmittedWorkDone();
  return performance.now() - start;
}

/** The frozen weights under a run as it was trained over them, in f32 or packed. */
async function loadBase(device: Device, run: TrainedRun): Promise<Parameters> {
  const { frozenDtype, model: { config } } = run;
  const weights = await openBase(run);
  try {
    return await createBase(device, { config, weights, frozenDtype });
  } finally {
    weights.close();
  }
}

/** Loads runs on a device of their own, whose activations are of a dtype. */
export async function openLabeller(
  runs: readonly NamedRun[],
  computeDtype?: ComputeDtype,
): Promise<Labeller> {
  // Products in f32, also of what was trained with f16's: any adapter has them, and they are the more exact.
  const device = await createDevice({ computeDtype });
  try {
    const labeller = await placeRuns(device, runs);
    return { ...labeller, close: () => device.destroy() };
  } catch (error) {
    device.destroy();
    throw error;
  }
}
