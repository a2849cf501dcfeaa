/**
 * AdamW over all trainable parameters, with global-norm clipping. A step has two halves. The first adds up
 * gradients, in the parameters' slabs, and the loss, in `loss`, in as many parts as it likes; the second is
 * {@link AdamW.update}. Between them both lie in a few flat buffers, where they can be summed over machines.
 * Nothing is read back in a step: norm, clip factor and losses stay on the GPU, and `readHistory` fetches many
 * steps at once.
 *
 * On a device whose activations are f16 the gradients are of the loss times {@link AdamW.lossScale}, which moves by
 * itself: kernels/gradient_norm.wgsl.
 */
import {
  adamw as adamwKernels,
  gradientNorm as normKernels,
  leastLossScale,
  scaledAdamw,
  scaledGradientNorm,
} from "../kernels/mod.ts";
import type { UniformBinding } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import { forEachPiece, launchElementwise, workgroupsFor } from "./elementwise.ts";
import type { Parameters, Slab } from "./parameters.ts";
import { addTo } from "./tape.ts";
import { persistent, Tensor } from "./tensor.ts";

export interface AdamWOptions {
  weightDecay: number;
  /** Gradients are scaled by min(1, maxGradNorm/(norm + 1e-6)); 0 leaves them as they are. */
  maxGradNorm: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
}

export interface StepRecord {
  loss: number;
  /** Before clipping; infinite where a scaled gradient is no number. */
  gradientNorm: number;
  learningRate: number;
  /** What the loss was multiplied by, where it was. */
  lossScale?: number;
  /** Whether the step was left out because its scale was too large; the next ones have a smaller one. */
  skipped?: boolean;
}

/** What an optimiser is at a moment, besides the parameters' values; plain data. */
export interface AdamWState {
  /** Updates made. */
  steps: number;
  /** First and second moments of every trainable parameter, by its name, laid out as its values. */
  moments: Map<string, { mean: Float32Array; variance: Float32Array }>;
  /** The loss scale where there is one, and the steps since it was last changed. */
  lossScale?: LossScale;
}

export interface LossScale {
  factor: number;
  steps: number;
}

/** Steps that the history holds before it must be read. */
export const historySlots = 64;
/** A norm that no gradient has, and whose quotient with the least norm is a number still. */
const noClipping = 1e30;
/** What the loss is multiplied by at first: as matmul_cooperative.wgsl has it, f16 then holds 5.8e-11 to 64. */
const firstLossScale = 1024;
/** Partial sums of the norm that one piece of the gradient makes, at most. */
const partialsPerPiece = 256;

/**
 * Puts a part of a step's loss where the other parts are, [1] both: the `first` takes the place of the step
 * before's, the others add to it.
 */
export function setOrAdd(sum: Tensor, part: Tensor, first: boolean): void {
  if (!first) return addTo(sum, part);
  sum.device.launcher.record((encoder) =>
    encoder.copyBufferToBuffer(
      part.storage.buffer,
      part.offset,
      sum.storage.buffer,
      sum.offset,
      sum.size * 4,
    )
  );
}

export class AdamW {
  /** The step's loss [1], which an update notes: see {@link setOrAdd}. */
  readonly loss: Tensor;
  /** [1] What a step's backward pass starts from, where gradients are f16; undefined where it starts from 1. */
  readonly lossScale?: Tensor;
  readonly #device: Device;
  readonly #parameters: Parameters;
  readonly #options: Required<AdamWOptions>;
  readonly #state: { slab: Slab; mean: Tensor; variance: Tensor }[];
  readonly #sums: Tensor;
  readonly #clip: Tensor;
  readonly #history: Tensor;
  readonly #step: UniformBinding;
  #steps = 0;
  #unread = 0;
  /** The launcher's submissions when the last update had been recorded. */
  #recordedAt = -1;

  constructor(parameters: Parameters, options: AdamWOptions) {
    const { device } = parameters;
    this.#device = device;
    this.#parameters = parameters;
    this.#options = { beta1: 0.9, beta2: 0.999, eps: 1e-8, ...options };
    this.#state = parameters.slabs.map((slab) => ({
      slab,
      mean: persistent(device, slab.value.shape, undefined, "first moments", "trained"),
      variance: persistent(device, slab.value.shape, undefined, "second moments", "trained"),
    }));
    let pieces = 0;
    for (const { gradient } of parameters.slabs) {
      forEachPiece(device, gradient.binding.size, () => pieces++);
    }
    this.#sums = persistent(device, [Math.max(1, pieces) * partialsPerPiece]);
    this.#clip = persistent(device, [1]);
    this.loss = persistent(device, [1]);
    if (device.kernels.activations === "f16") {
      const { storage } = persistent(device, [2], Float32Array.of(firstLossScale, 0));
      this.lossScale = new Tensor(device, [1], storage);
    }
    this.#history = persistent(device, [historySlots, 4]);
    this.#step = device.launcher.createUniform();
  }

  /** What an update depends on beside gradients and values: moments, laid out as the parameters' slabs, and the loss scale. */
  get state(): Tensor[] {
    const { lossScale } = this;
    const scale = lossScale && new Tensor(this.#device, [2], lossScale.storage);
    return [
      ...this.#state.flatMap(({ mean, variance }) => [mean, variance]),
      ...scale ? [scale] : [],
    ];
  }

  /**
   * One update with the gradients and the loss at hand. Only records; the next submission makes it. Throws where
   * `historySlots` updates were made without reading the history.
   */
  update(learningRate: number): void {
    if (this.#unread >= historySlots) {
      throw new Error(`${historySlots} steps without reading the history: call readHistory().`);
    }
    const { launcher, gpu } = this.#device;
    launcher.cannotRepeat(); // a caller's list of launches would leave out the write
    if (this.#recordedAt === launcher.submissions) launcher.submit(); // the last update reads its own
    const { beta1, beta2 } = this.#options;
    const slot = this.#unread++;
    const t = ++this.#steps;
    const step = new ArrayBuffer(16);
    new Uint32Array(step)[0] = slot;
    new Float32Array(step).set([learningRate, 1 - beta1 ** t, Math.sqrt(1 - beta2 ** t)], 1);
    gpu.queue.writeBuffer(this.#step.uniform, 0, step);
    launcher.repeat(this, "update", () => this.#launch());
    this.#recordedAt = launcher.submissions;
  }

  /** The state to go on from in another run. Waits for the GPU. */
  async capture(): Promise<AdamWState> {
    const steps = this.#steps;
    const slabs = await Promise.all(this.#state.map(async ({ mean, variance }) => {
      const [first, second] = await Promise.all([mean.read(), variance.read()]);
      return { mean: first, variance: second };
    }));
    const moments: AdamWState["moments"] = new Map();
    for (const { name, slab, first, size } of this.#parameters.places()) {
      const { mean, variance } = slabs[slab];
      const end = first + size;
      moments.set(name, { mean: mean.slice(first, end), variance: variance.slice(first, end) });
    }
    return { steps, moments, ...await this.#captureLossScale() };
  }

  async #captureLossScale(): Promise<{ lossScale?: LossScale }> {
    if (!this.lossScale) return {};
    const [factor, steps] = new Float32Array(
      await this.#device.read(this.lossScale.storage, 0, 8),
    );
    return { lossScale: { factor, steps } };
  }

  /** Goes on from a state; the history is left as it is. Throws where it is one of other parameters. */
  restore({ steps, moments, lossScale }: AdamWState): void {
    const slabs = this.#state.map(({ mean: { size } }) => ({
      mean: new Float32Array(size),
      variance: new Float32Array(size),
    }));
    for (const { name, slab, first, size } of this.#parameters.places()) {
      const found = moments.get(name);
      if (found?.mean.length !== size || found.variance.length !== size) {
        throw new Error(
          `AdamW: ${found ? `moments of ${found.mean.length}` : "no moments"} for the ${size} ` +
            `values of ${name}.`,
        );
      }
      slabs[slab].mean.set(found.mean, first);
      slabs[slab].variance.set(found.variance, first);
    }
    this.#state.forEach(({ mean, variance }, i) => {
      this.#device.write(mean.storage, 0, slabs[i].mean);
      this.#device.write(variance.storage, 0, slabs[i].variance);
    });
    if (this.lossScale && lossScale) {
      const values = Float32Array.of(lossScale.factor, lossScale.steps);
      this.#device.write(this.lossScale.storage, 0, values);
    }
    this.#steps = steps;
  }

  /** Losses, norms and rates of the steps since the last call. Waits for the GPU. */
  async readHistory(): Promise<StepRecord[]> {
    const count = this.#unread;
    if (count === 0) return [];
    const reading = this.#device.read(this.#history.storage, 0, count * 16);
    this.#unread = 0; // updates that come meanwhile write after it
    const values = new Float32Array(await reading);
    return Array.from({ length: count }, (_, i) => {
      const [loss, norm, learningRate, lossScale] = values.subarray(4 * i, 4 * i + 4);
      if (!this.lossScale) return { loss, gradientNorm: norm, learningRate };
      const isFinite = norm >= 0;
      const gradientNorm = isFinite ? norm : Infinity;
      const skipped = !isFinite && lossScale > leastLossScale;
      return { loss, gradientNorm, learningRate, lossScale, skipped };
    });
  }

  /** Frees the optimiser's state. */
  destroy(): void {
    const tensors = [this.loss, this.#sums, this.#clip, this.#history];
    if (this.lossScale) tensors.push(this.lossScale);
    for (const { mean, variance } of this.#state) tensors.push(mean, variance);
    tensors.forEach(({ storage }) => this.#device.memory.destroy(storage));
    this.#step.uniform.destroy();
    this.#device.launcher.forget();
  }

  /** The update's launches, the same for every step: norm and clip factor, then each slab. */
  #launch(): void {
    const { beta1, beta2, eps, weightDecay } = this.#options;
    this.#clipByNorm();
    const { main } = this.lossScale ? scaledAdamw : adamwKernels;
    for (const { slab, mean, variance } of this.#state) {
      const { value, gradient, decay } = slab;
      launchElementwise(
        main,
        { parameter: value, gradient, mean, variance },
        { beta1, beta2, eps, weightDecay: decay ? weightDecay : 0 },
        { clip: this.#clip.binding, step: this.#step },
      );
    }
  }

  #clipByNorm(): void {
    const { launcher } = this.#device;
    const { lossScale } = this;
    const kernels = lossScale ? scaledGradientNorm : normKernels;
    const maxNorm = this.#options.maxGradNorm || noClipping;
    let first = 0;
    for (const { gradient } of this.#parameters.slabs) {
      forEachPiece(this.#device, gradient.binding.size, (start, size) => {
        const count = size / 16;
        const groups = Math.min(partialsPerPiece, workgroupsFor(count)[0]);
        const piece = { storage: gradient.storage, offset: start, size };
        launcher.launch(
          kernels.partial,
          { gradient: piece, sums: this.#sums.binding },
          { count, first, maxNorm },
          [groups, 1],
        );
        first += groups;
      });
    }
    launcher.launch(
      kernels.finish,
      {
        sums: this.#sums.binding,
        clip: this.#clip.binding,
        history: this.#history.binding,
        loss: this.loss.binding,
        step: this.#step,
        ...(lossScale && { lossScale: { storage: lossScale.storage, offset: 0, size: 16 } }),
      },
      { count: first, first: 0, maxNorm },
      [1, 1],
    );
  }
}
