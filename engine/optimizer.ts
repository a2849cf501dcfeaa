/**
 * AdamW over all trainable parameters, with global-norm clipping. Nothing is read back in a step: norm,
 * clip factor and losses stay on the GPU, and `readHistory` fetches many steps at once.
 */
import { adamw as adamwKernels, gradientNorm as normKernels } from "../kernels/mod.ts";
import type { UniformBinding } from "./bind_groups.ts";
import type { Device } from "./device.ts";
import { forEachPiece, launchElementwise, workgroupsFor } from "./elementwise.ts";
import type { Parameters, Slab } from "./parameters.ts";
import { addTo } from "./tape.ts";
import { clear, persistent, type Tensor } from "./tensor.ts";

export interface AdamWOptions {
  weightDecay: number;
  /** Gradients are scaled by min(1, maxGradNorm/(norm + 1e-6)). */
  maxGradNorm: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
}

export interface StepRecord {
  loss: number;
  /** Before clipping. */
  gradientNorm: number;
  learningRate: number;
}

/** Steps that the history holds before it must be read. */
export const historySlots = 64;
/** Partial sums of the norm that one piece of the gradient makes, at most. */
const partialsPerPiece = 256;

export class AdamW {
  readonly #device: Device;
  readonly #parameters: Parameters;
  readonly #options: Required<AdamWOptions>;
  readonly #state: { slab: Slab; mean: Tensor; variance: Tensor }[];
  readonly #sums: Tensor;
  readonly #clip: Tensor;
  /** Sum of the losses that were added since the last update. */
  readonly #loss: Tensor;
  readonly #history: Tensor;
  readonly #step: UniformBinding;
  #steps = 0;
  #unread = 0;

  constructor(parameters: Parameters, options: AdamWOptions) {
    const { device } = parameters;
    this.#device = device;
    this.#parameters = parameters;
    this.#options = { beta1: 0.9, beta2: 0.999, eps: 1e-8, ...options };
    this.#state = parameters.slabs.map((slab) => ({
      slab,
      mean: persistent(device, slab.value.shape, undefined, "first moments"),
      variance: persistent(device, slab.value.shape, undefined, "second moments"),
    }));
    let pieces = 0;
    for (const { gradient } of parameters.slabs) {
      forEachPiece(device, gradient.binding.size, () => pieces++);
    }
    this.#sums = persistent(device, [Math.max(1, pieces) * partialsPerPiece]);
    this.#clip = persistent(device, [1]);
    this.#loss = persistent(device, [1]);
    this.#history = persistent(device, [historySlots, 4]);
    this.#step = device.launcher.createUniform();
  }

  /** Adds a loss [1] to the one that the next update notes, where a step's gradients come in several parts. */
  addLoss(loss: Tensor): void {
    addTo(this.#loss, loss);
  }

  /** One update with the gradients at hand: {@link begin} and {@link update}. */
  step(learningRate: number, loss: Tensor): void {
    this.begin(learningRate);
    this.update(loss);
  }

  /**
   * Says at which rate the next update is made; it is to come in commands that are not submitted yet. Throws
   * where `historySlots` steps were made without reading the history.
   */
  begin(learningRate: number): void {
    if (this.#unread >= historySlots) {
      throw new Error(`${historySlots} steps without reading the history: call readHistory().`);
    }
    const { beta1, beta2 } = this.#options;
    const slot = this.#unread++;
    const t = ++this.#steps;
    const step = new ArrayBuffer(16);
    new Uint32Array(step)[0] = slot;
    new Float32Array(step).set([learningRate, 1 - beta1 ** t, Math.sqrt(1 - beta2 ** t)], 1);
    this.#device.gpu.queue.writeBuffer(this.#step.uniform, 0, step);
  }

  /**
   * The update's launches, the same for every step. `loss` [1] is only noted, with those that were added before
   * where it is the `last` of several.
   */
  update(loss: Tensor, { last = false } = {}): void {
    const { beta1, beta2, eps, weightDecay } = this.#options;
    if (last) {
      this.addLoss(loss);
      this.#clipByNorm(this.#loss);
      clear(this.#loss);
    } else this.#clipByNorm(loss);
    for (const { slab, mean, variance } of this.#state) {
      const { value, gradient, decay } = slab;
      launchElementwise(
        adamwKernels.main,
        { parameter: value, gradient, mean, variance },
        { beta1, beta2, eps, weightDecay: decay ? weightDecay : 0 },
        { clip: this.#clip.binding, step: this.#step },
      );
    }
  }

  /** Losses, norms and rates of the steps since the last call. Waits for the GPU. */
  async readHistory(): Promise<StepRecord[]> {
    const count = this.#unread;
    if (count === 0) return [];
    const { storage } = this.#history;
    const values = new Float32Array(await this.#device.read(storage, 0, count * 16));
    this.#unread = 0;
    return Array.from({ length: count }, (_, i) => ({
      loss: values[4 * i],
      gradientNorm: values[4 * i + 1],
      learningRate: values[4 * i + 2],
    }));
  }

  /** Frees the optimiser's state. */
  destroy(): void {
    const tensors = [this.#sums, this.#clip, this.#loss, this.#history];
    for (const { mean, variance } of this.#state) tensors.push(mean, variance);
    tensors.forEach(({ storage }) => this.#device.memory.destroy(storage));
    this.#step.uniform.destroy();
    this.#device.launcher.forget();
  }

  #clipByNorm(loss: Tensor): void {
    const { launcher } = this.#device;
    const { maxGradNorm: maxNorm } = this.#options;
    let first = 0;
    for (const { gradient } of this.#parameters.slabs) {
      forEachPiece(this.#device, gradient.binding.size, (start, size) => {
        const count = size / 16;
        const groups = Math.min(partialsPerPiece, workgroupsFor(count)[0]);
        const piece = { storage: gradient.storage, offset: start, size };
        launcher.launch(
          normKernels.partial,
          { gradient: piece, sums: this.#sums.binding },
          { count, first, maxNorm },
          [groups, 1],
        );
        first += groups;
      });
    }
    launcher.launch(
      normKernels.finish,
      {
        sums: this.#sums.binding,
        clip: this.#clip.binding,
        history: this.#history.binding,
        loss: loss.binding,
        step: this.#step,
      },
      { count: first, first: 0, maxNorm },
      [1, 1],
    );
  }
}
