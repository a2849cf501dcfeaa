/** Times training steps of our trainer on random weights. No package is needed: bench/gpu.ts uses it too. */
import { Device } from "../engine/device.ts";
import { AdamW, historySlots } from "../engine/optimizer.ts";
import { bertBaseUncased, type EncoderConfig, parseConfig } from "../models/encoders/mod.ts";
import type { WeightSource } from "../models/encoders/weights.ts";
import { sizeOf } from "../engine/shape.ts";
import { createModel, type MethodModel } from "../models/model.ts";
import { loraDefaults } from "../models/peft/lora.ts";
import type { Method } from "../models/peft/methods.ts";
import { defaultHyperparameters } from "../models/training/events.ts";
import { applyUpdate, computeGradients } from "../models/training/step.ts";
import mini from "../assets/mini/config.json" with { type: "json" };
import { profile } from "../engine/profile.ts";
import type { StepRow } from "./schema.ts";
import { median } from "../engine/timing.ts";

/** Tokens of every sentence, or `emotion`: as the emotion data set's, 15 to 25, 20 in the mean. */
export type Length = number | "emotion";

/** `narrow` is bert-base at a width of 64: as many launches, and so little work that the host's time shows. */
export const modelNames = ["mini", "base", "narrow"] as const;

/** What is timed: one row of the result. */
export interface Point {
  model: typeof modelNames[number];
  method: "full" | "lora" | "adapter";
  batch: number;
  length: Length;
}

export const methods: Record<Point["method"], Method> = {
  full: { method: "full" },
  lora: loraDefaults(8),
  adapter: { method: "adapter", size: 64, placement: "shared" },
};

export const configs: Record<Point["model"], EncoderConfig> = {
  base: bertBaseUncased,
  mini: parseConfig(mini, "assets/mini/config.json"),
  narrow: { ...bertBaseUncased, hiddenSize: 64, heads: 2, intermediateSize: 64, vocabSize: 500 },
};

export const classes = 13;
/** Steps before the clock starts: pipelines, buffers and bind groups are made there. */
const warmUpSteps = 2;

export interface StepBenchOptions {
  /** Timed steps of a point at least; more where they are short. */
  steps?: number;
  /** Blocks of steps, whose median counts; 3 unless given, fewer where steps are long. */
  blocks?: number;
  /** Whether a step's time is also taken apart by kernel. */
  profile?: boolean;
  report?: (point: Point) => void;
}

/** Times every point; a model is built once for the points that follow one another with it. */
export async function benchSteps(
  device: Device,
  points: readonly Point[],
  { steps = 1, blocks, profile, report }: StepBenchOptions = {},
): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  let built: { key: string; device: Device; model: MethodModel; optimizer: AdamW } | undefined;
  const drop = () => {
    built?.optimizer.destroy();
    built?.model.destroy();
    built = undefined;
  };
  try {
    for (const point of points) {
      report?.(point);
      const key = `${point.model} ${point.method}`;
      if (built?.key !== key) {
        drop();
        const own = point.model === "narrow" ? withoutTextures(device) : device;
        const model = await createModel(own, {
          config: configs[point.model],
          method: methods[point.method],
          classes,
          weights: fastWeights,
          seed: 1,
        });
        const { weightDecay, maxGradNorm } = defaultHyperparameters;
        built = {
          key,
          device: own,
          model,
          optimizer: new AdamW(model.parameters, { weightDecay, maxGradNorm }),
        };
      }
      rows.push(await timePoint(built, point, { steps, blocks, profile }));
    }
  } finally {
    drop();
  }
  return rows;
}

/** The engine on the same GPU, as on one where no texture is read faster than a buffer. */
function withoutTextures({ gpu, info, kernels }: Device): Device {
  const { matmul } = kernels;
  return new Device(gpu, info, {
    ...kernels,
    matmul: matmul.kind === "registers" ? { ...matmul, textures: false } : matmul,
    attentionTextures: false,
  });
}

/** Seconds that a block should last: waiting for the queue goes in steps of 10 ms. */
const blockSeconds = 0.5;
/** Seconds that all blocks of a point should last at most. */
const pointSeconds = 10;

async function timePoint(
  { device, model, optimizer }: { device: Device; model: MethodModel; optimizer: AdamW },
  point: Point,
  { steps: least, blocks: wanted, profile: profiled }: StepBenchOptions & { steps: number },
): Promise<StepRow> {
  device.trim();
  device.memory.resetPeak();
  const batch = sentencesOf(point, configs[point.model].vocabSize);
  let step = 0;
  let tokens = 0;
  const training = { device, built: model, optimizer };
  const trainStep = () => {
    tokens = computeGradients(training, batch, { ...defaultHyperparameters, step: step++ });
    applyUpdate(training, defaultHyperparameters.learningRate);
  };
  const recordings: number[] = [];
  const submissions: number[] = [];
  const runSteps = async (count: number) => {
    const clock = submitClock(device);
    const dispatches = device.launcher.dispatches;
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      const begin = performance.now();
      const submitted = clock.milliseconds();
      trainStep();
      const submit = clock.milliseconds() - submitted;
      submissions.push(submit);
      recordings.push(performance.now() - begin - submit);
      if (step % historySlots === 0) await optimizer.readHistory();
    }
    await device.finish();
    const milliseconds = (performance.now() - start) / count;
    clock.stop();
    return { milliseconds, dispatches: (device.launcher.dispatches - dispatches) / count };
  };
  await runSteps(warmUpSteps - 1);
  const { milliseconds: once } = await runSteps(1);
  const steps = Math.max(least, Math.min(historySlots, Math.round(blockSeconds * 1000 / once)));
  const affordable = Math.floor(pointSeconds * 1000 / (once * steps));
  const blocks = wanted ?? Math.max(1, Math.min(3, affordable));
  const timed = [];
  for (let block = 0; block < blocks; block++) timed.push(await runSteps(steps));
  const { peakBytes } = device.memory;
  const shares = profiled ? await profile(device, trainStep) : undefined;
  await optimizer.readHistory();
  const times = timed.map(({ milliseconds }) => milliseconds);
  const milliseconds = median(times);
  return {
    engine: "ours",
    device: device.info.description,
    ...point,
    padding: "none",
    precision: "f32",
    tokens,
    steps: steps * blocks,
    milliseconds,
    spread: (Math.max(...times) - Math.min(...times)) / milliseconds,
    tokensPerSecond: tokens / milliseconds * 1000,
    dispatches: timed[0].dispatches,
    recordMilliseconds: median(recordings.slice(warmUpSteps)),
    submitMilliseconds: median(submissions.slice(warmUpSteps)),
    peakBytes,
    ...(shares && { profile: shares }),
  };
}

/** Counts the milliseconds spent in queue.submit, where a software adapter computes. */
function submitClock(device: Device): { milliseconds(): number; stop(): void } {
  const { queue } = device.gpu;
  const submit = queue.submit.bind(queue);
  let milliseconds = 0;
  queue.submit = (buffers) => {
    const start = performance.now();
    submit(buffers);
    milliseconds += performance.now() - start;
  };
  return {
    milliseconds: () => milliseconds,
    stop: () => queue.submit = submit,
  };
}

/** Tokens of each sentence of a batch; torch_step.py makes the same. */
export function sentenceLengths(batch: number, length: Length): number[] {
  return Array.from(
    { length: batch },
    (_, i) => length === "emotion" ? 15 + (7 * i) % 11 : length,
  );
}

/** A batch's sentences. */
export function sentencesOf(
  { batch, length }: Pick<Point, "batch" | "length">,
  vocabulary: number,
) {
  return sentenceLengths(batch, length).map((tokens, sentence) => ({
    ids: Array.from({ length: tokens }, (_, i) => (sentence * 7919 + i * 104729) % vocabulary),
    label: sentence % classes,
  }));
}

/** Random weights without a random generator's cost: 110 million normal values take it half a minute. */
export const fastWeights: WeightSource = {
  description: "random weights of a benchmark",
  notes: [],
  close() {},
  read({ shape, init }) {
    if (init.kind !== "normal") return Promise.resolve(undefined);
    const values = new Float32Array(sizeOf(shape));
    const scale = init.std * Math.sqrt(3) / 2 ** 31; // uniform with the same deviation
    for (let i = 0; i < values.length; i++) values[i] = scale * (Math.imul(i + 1, 0x9e3779b1) | 0);
    return Promise.resolve(values);
  },
};
