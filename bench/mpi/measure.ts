/** Times of several ranks: sums by size, the host's copies, and steps. All ranks call these together. */
import type { Communicator } from "../../cli/mpi/communicator.ts";
import type { Device } from "../../engine/device.ts";
import { Exchange } from "../../engine/exchange.ts";
import { AdamW, historySlots } from "../../engine/optimizer.ts";
import { persistent } from "../../engine/tensor.ts";
import { median } from "../../engine/timing.ts";
import { createModel } from "../../models/model.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import { Reduction } from "../../models/training/reduction.ts";
import { applyUpdate, computeGradients } from "../../models/training/step.ts";
import type { CopyRow, ReductionRow, SharedStepRow } from "../schema.ts";
import { classes, configs, fastWeights, methods, type Point, sentencesOf } from "../step_bench.ts";

/** Where the ranks are. */
export type Where = Pick<ReductionRow, "ranks" | "hosts" | "network">;

/** Samples of a time: as many as a second holds, but 3 to 50. */
const samplesIn = (milliseconds: number) =>
  Math.min(50, Math.max(3, Math.round(1000 / milliseconds)));

/** The median, and the fastest: on a busy machine the one tells of its other programs, too. */
const timing = (samples: readonly number[]) => ({
  milliseconds: median(samples),
  fastestMilliseconds: Math.min(...samples),
});

/** A number of rank 0's, on all: each would choose its own number of samples. */
function agreed(ranks: Communicator, value: number): number {
  return new Float64Array(
    ranks.broadcast(new Uint8Array(Float64Array.of(value).buffer)).slice().buffer,
  )[0];
}

/** Sums of so many bytes each; a sample lasts until the last rank has its sum. */
export function timeReductions(
  ranks: Communicator,
  where: Where,
  sizes: readonly number[],
  report: (bytes: number) => void,
): ReductionRow[] {
  return sizes.map((bytes) => {
    report(bytes);
    const values = new Float32Array(bytes / 4);
    const sample = () => {
      ranks.barrier();
      const start = performance.now();
      ranks.sum(values);
      return performance.now() - start;
    };
    sample(); // connections and buffers are made there
    const samples = Array.from({ length: agreed(ranks, samplesIn(sample())) }, sample);
    return { ...where, bytes, ...timing(slowest(ranks, samples)) };
  });
}

/** Sample by sample the longest of all ranks. */
function slowest(ranks: Communicator, samples: readonly number[]): number[] {
  const all = ranks.gather(new Uint8Array(Float64Array.from(samples).buffer))
    .map((bytes) => new Float64Array(bytes.slice().buffer));
  return samples.map((_, index) => Math.max(...all.map((each) => each[index])));
}

/** Exchanges in a row that one sample holds: the upload of each is waited for with the next, as in steps. */
const exchangesOfSample = 4;

/** From the GPU to the host and back, of so many bytes. */
export async function timeCopies(device: Device, sizes: readonly number[]): Promise<CopyRow[]> {
  const rows: CopyRow[] = [];
  for (const bytes of sizes) {
    const tensor = persistent(device, [bytes / 4], undefined, "benchmark");
    const exchange = new Exchange(device, [tensor]);
    const sample = async () => {
      const start = performance.now();
      for (let left = exchangesOfSample; left > 0; left--) await exchange.run(() => {});
      return (performance.now() - start) / exchangesOfSample;
    };
    await sample();
    const samples: number[] = [];
    for (let left = samplesIn(exchangesOfSample * await sample()); left > 0; left--) {
      samples.push(await sample());
    }
    rows.push({ bytes, ...timing(samples) });
    exchange.destroy();
    device.memory.destroy(tensor.storage);
  }
  return rows;
}

/** Steps of all ranks, by scaling: `strong` shares the point's batch, `weak` gives each rank as much. */
export async function timeSteps(
  device: Device,
  ranks: Communicator,
  where: Where,
  { model: name, method: methodName, batch, length }: Point,
): Promise<SharedStepRow[]> {
  const [config, method] = [configs[name], methods[methodName]];
  const model = await createModel(device, {
    config,
    method,
    classes,
    weights: fastWeights,
    seed: 1,
  });
  const { weightDecay, maxGradNorm, learningRate } = defaultHyperparameters;
  const optimizer = new AdamW(model.parameters, { weightDecay, maxGradNorm });
  const training = { device, built: model, optimizer };
  let sums = 0;
  const timed = {
    rank: ranks.rank,
    size: ranks.size,
    sum(values: Float32Array) {
      const start = performance.now();
      ranks.sum(values);
      sums += performance.now() - start;
    },
  };
  const reduction = new Reduction(training, timed);
  const rows: SharedStepRow[] = [];
  let step = 0;
  for (const scaling of ["strong", "weak"] as const) {
    if (scaling === "weak" && ranks.size === 1) continue; // the same batch
    const sentences = scaling === "weak" ? batch * ranks.size : batch;
    const data = sentencesOf({ batch: sentences, length }, config.vocabSize);
    /** Milliseconds of a step, and of its sums, in a block of so many. */
    const block = async (steps: number) => {
      sums = 0;
      ranks.barrier();
      const start = performance.now();
      for (let left = steps; left > 0; left--) {
        computeGradients(training, data, { ...defaultHyperparameters, step: step++, ranks: timed });
        await reduction.gradients();
        applyUpdate(training, learningRate);
      }
      await device.finish();
      const milliseconds = (performance.now() - start) / steps;
      await optimizer.readHistory();
      return { milliseconds, sums: sums / steps };
    };
    await block(2);
    const { milliseconds: once } = await block(1);
    const steps = agreed(ranks, Math.min(historySlots, Math.max(1, Math.round(1000 / once))));
    const blocks = [];
    for (let left = 3; left > 0; left--) blocks.push(await block(steps));
    rows.push({
      ...where,
      model: name,
      method: methodName,
      scaling,
      batch: sentences,
      length,
      bytes: 4 * countParameters(config, method, classes).trainable,
      milliseconds: median(slowest(ranks, blocks.map(({ milliseconds }) => milliseconds))),
      sumMilliseconds: median(blocks.map(({ sums }) => sums)),
    });
  }
  reduction.destroy();
  optimizer.destroy();
  model.destroy();
  return rows;
}
