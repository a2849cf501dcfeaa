/** Counts a run's steps, tokens and time, and turns the GPU's history into events. */
import { type AdamW, historySlots } from "../../engine/optimizer.ts";
import { UserError } from "../errors.ts";
import type { StepEvent } from "./events.ts";

/** Losses are read back about this often: each readback waits for the GPU. */
const secondsBetweenReads = 1;

export class Progress {
  /** Steps recorded so far. */
  step: number;
  /** Real tokens of the steps that were read. */
  tokens: number;
  #unread: { epoch: number; tokens: number }[] = [];
  #seconds: number;
  #since = performance.now();
  #readEvery = 1;
  readonly #totalSteps: number;
  readonly #learningRate: number;

  constructor(
    { totalSteps, learningRate }: { totalSteps: number; learningRate: number },
    from: { step: number; tokens: number; seconds: number } = { step: 0, tokens: 0, seconds: 0 },
  ) {
    this.#totalSteps = totalSteps;
    this.#learningRate = learningRate;
    this.step = from.step;
    this.tokens = from.tokens;
    this.#seconds = from.seconds;
  }

  /** Seconds of training steps. */
  get seconds(): number {
    return this.#seconds;
  }

  get tokensPerSecond(): number {
    return this.tokens / Math.max(this.#seconds, 1e-9);
  }

  get readIsDue(): boolean {
    return this.#unread.length >= this.#readEvery;
  }

  resume(): void {
    this.#since = performance.now();
  }

  pause(): void {
    this.#seconds += (performance.now() - this.#since) / 1000;
  }

  /** Notes a step of an epoch, from 0, that was recorded. */
  made(epoch: number, tokens: number): void {
    this.step++;
    this.#unread.push({ epoch: epoch + 1, tokens });
  }

  /** The events of the steps since the last call. Waits for the GPU. Throws where a loss is no number. */
  async *read(optimizer: AdamW): AsyncGenerator<StepEvent> {
    const records = await optimizer.readHistory();
    const elapsed = this.#seconds;
    this.pause();
    this.resume();
    if (records.length > 0) {
      const perStep = (this.#seconds - elapsed) / records.length;
      const due = Math.round(secondsBetweenReads / Math.max(perStep, 1e-6));
      this.#readEvery = Math.min(historySlots, Math.max(1, due));
    }
    const first = this.step - records.length + 1;
    const unread = this.#unread;
    this.#unread = [];
    for (const [index, { loss, gradientNorm, learningRate }] of records.entries()) {
      const { epoch, tokens } = unread[index];
      const step = first + index;
      if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
        throw new UserError(
          `Step ${step} of ${this.#totalSteps}: the loss is ${loss} and the gradient norm ` +
            `${gradientNorm}. The learning rate is too high, or the weights are damaged.`,
          { remedy: { kind: "lowerLearningRate", rate: this.#learningRate } },
        );
      }
      this.tokens += tokens;
      yield {
        type: "step",
        step,
        epoch,
        loss,
        gradientNorm,
        learningRate,
        tokens,
        tokensPerSecond: this.tokensPerSecond,
      };
    }
  }
}
