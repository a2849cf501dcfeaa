/** AdamW with clipping, on the device and in float64: three steps on a slab that decays and one that does not. */
import type { Device } from "../engine/device.ts";
import { AdamW } from "../engine/optimizer.ts";
import { Parameters } from "../engine/parameters.ts";
import type { Values } from "./reference.ts";
import { norm, randomValues } from "./values.ts";

const options = { weightDecay: 0.01, maxGradNorm: 1, beta1: 0.9, beta2: 0.999, eps: 1e-8 };
const rates = [1e-2, 5e-3, 2e-3];

/** What a device computed, and what it should have. */
interface Outcome {
  actual: Values;
  expected: Values;
}

/** Steps on two slabs of these sizes: each step's gradient norm, and how far every parameter moved. */
export async function runAdamW(
  device: Device,
  sizes: readonly [number, number],
): Promise<{ norms: Outcome; moves: Outcome }> {
  const parameters = new Parameters(device, [
    { name: "weight", shape: [sizes[0]], decay: true, trainable: true },
    { name: "bias", shape: [sizes[1]], decay: false, trainable: true },
  ]);
  const optimizer = new AdamW(parameters, options);
  const starts = sizes.map((size, slab) => randomValues(size, slab + 1));
  parameters.slabs.forEach(({ value }, slab) =>
    device.write(value.storage, 0, Float32Array.from(starts[slab]))
  );
  const gradients = rates.map((_, step) =>
    sizes.map((size, slab) => randomValues(size, 10 * step + slab + 3))
  );
  const lossScale = await optimizer.lossScale?.read(); // gradients are of the loss times this
  const scaled = (values: Values) =>
    Float32Array.from(values, (value) => value * (lossScale?.[0] ?? 1));
  rates.forEach((rate, step) => {
    device.beginStep(0, step);
    parameters.slabs.forEach(({ gradient }, slab) =>
      device.write(gradient.storage, 0, scaled(gradients[step][slab]))
    );
    optimizer.update(rate);
    device.endStep();
  });
  const values = await Promise.all(parameters.slabs.map(({ value }) => value.read()));
  const records = await optimizer.readHistory();
  optimizer.destroy();
  parameters.destroy();
  const moved = sizes.map((size, slab) =>
    starts[slab].map((start, i) => values[slab].subarray(0, size)[i] - start)
  );
  return {
    norms: {
      actual: records.map(({ gradientNorm }) => gradientNorm),
      expected: gradients.map((slabs) => norm(slabs.flat())),
    },
    moves: { actual: moved.flat(), expected: expectedMoves(starts, gradients).flat() },
  };
}

/** torch.nn.utils.clip_grad_norm_ and torch.optim.AdamW, by their formulas. */
function expectedMoves(starts: Values[], gradients: Values[][]): Values[] {
  const { weightDecay, maxGradNorm, beta1, beta2, eps } = options;
  const clips = gradients.map((slabs) => Math.min(1, maxGradNorm / (norm(slabs.flat()) + 1e-6)));
  return starts.map((start, slab) =>
    start.map((first, i) => {
      let [value, mean, variance] = [first, 0, 0];
      rates.forEach((rate, step) => {
        const g = clips[step] * gradients[step][slab][i];
        mean = beta1 * mean + (1 - beta1) * g;
        variance = beta2 * variance + (1 - beta2) * g * g;
        const correction1 = 1 - beta1 ** (step + 1);
        const correction2 = Math.sqrt(1 - beta2 ** (step + 1));
        value *= 1 - rate * (slab === 0 ? weightDecay : 0);
        value -= rate / correction1 * mean / (Math.sqrt(variance) / correction2 + eps);
      });
      return value - first;
    })
  );
}
