/** What a training step takes on this GPU, and where its time goes. */
import { AdamW } from "../../engine/optimizer.ts";
import { type KernelShare, profile } from "../../engine/profile.ts";
import { median } from "../../engine/timing.ts";
import { createModel } from "../../models/model.ts";
import { type Method, runName } from "../../models/peft/methods.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import { applyUpdate, computeGradients } from "../../models/training/step.ts";
import type { Lab } from "./lab.ts";

export interface StepTimes {
  run: string;
  sentences: number;
  tokens: number;
  launches: number;
  /** Of a step, by the clock: the median of some, each waited for. */
  milliseconds: number;
  tokensPerSecond: number;
  /** The GPU's own times by kernel, the longest first; undefined where the browser tells none. */
  kernels?: KernelShare[];
}

/** A kernel's part of each of several steps, in their order. */
export interface Comparison {
  kernel: string;
  shares: { milliseconds: number; launches: number }[];
}

export const sum = (shares: readonly { milliseconds: number }[]): number =>
  shares.reduce((all, { milliseconds }) => all + milliseconds, 0);

/** What kernels take of several steps, those of the most time first; above `most` the rest is one row. */
export function compareKernels(times: readonly StepTimes[], most: number): Comparison[] {
  const names = new Set(times.flatMap(({ kernels = [] }) => kernels.map(({ kernel }) => kernel)));
  const none = { milliseconds: 0, launches: 0 };
  const rows = [...names].map((kernel): Comparison => ({
    kernel,
    shares: times.map(({ kernels = [] }) =>
      kernels.find((share) => share.kernel === kernel) ?? none
    ),
  })).sort((a, b) => sum(b.shares) - sum(a.shares));
  const rest = rows.slice(most);
  if (rest.length < 2) return rows;
  const shares = times.map((_, step) => ({
    milliseconds: sum(rest.map(({ shares }) => shares[step])),
    launches: rest.reduce((all, { shares }) => all + shares[step].launches, 0),
  }));
  return [...rows.slice(0, most), { kernel: `${rest.length} others`, shares }];
}

const sentences = 16;

/** Steps that are timed by the clock, after one that compiles the kernels; and those that are profiled. */
const samples = { clock: 5, profile: 4 };

/** Times steps of a method on a batch of the lab's data. */
export async function timeSteps(
  { device, base, data: { dataset, split } }: Lab,
  method: Method,
): Promise<StepTimes> {
  const weights = await base.open(dataset.labels);
  const { seed } = defaultHyperparameters;
  const classes = dataset.labels.length;
  const options = { config: base.config, method, classes, weights, seed };
  const built = await createModel(device, options).finally(() => weights.close());
  const optimizer = new AdamW(built.parameters, { weightDecay: 0.01, maxGradNorm: 1 });
  try {
    const batch = split.train.slice(0, sentences)
      .map(({ text, label }) => ({ ids: base.tokenizer.encode(text, 512), label }));
    const settings = { step: 0, seed, batchSize: sentences, gradientAccumulationSteps: 1 };
    let tokens = 0;
    const step = () => {
      tokens = computeGradients({ device, built, optimizer }, batch, settings);
      applyUpdate({ device, built, optimizer }, 1e-5);
    };
    step();
    await optimizer.readHistory();
    const before = device.launcher.dispatches;
    const times: number[] = [];
    for (let sample = 0; sample < samples.clock; sample++) {
      const started = performance.now();
      step();
      await optimizer.readHistory(); // waits for the step
      times.push(performance.now() - started);
    }
    const launches = (device.launcher.dispatches - before) / samples.clock;
    const milliseconds = median(times);
    const timed = device.gpu.features.has("timestamp-query");
    const kernels = timed ? await profile(device, step, samples.profile) : undefined;
    return {
      run: runName(method),
      sentences: batch.length,
      tokens,
      launches,
      milliseconds,
      tokensPerSecond: 1000 * tokens / milliseconds,
      kernels,
    };
  } finally {
    device.launcher.submit();
    optimizer.destroy();
    built.destroy();
  }
}
