/** Counts a run's steps, tokens and time, and turns the GPU's history into events. */
import { type AdamW, historySlots } from "../../engine/optimizer.ts";
import { UserError } from "../errors.ts";
import type { StepEvent } from "./events.ts";
import { Pace } from "./pace.ts";

export class Progress {
  /** Steps recorded so far. */
  step: number;
  /** Real tokens of the steps that were read. */
  tokens: number;
  #unread: { epoch: number; tokens: number }[] = [];
  #seconds: number;
  #since = performance.now();
  readonly #pace = new Pace(historySlots);
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

  /** Each readback waits for the GPU. */
  get readIsDue(): boolean {
    return this.#pace.isDue;
  }

  resume(): void {
    this.#since = performance.now();
    this.#pace.resume();
  }

  pause(): void {
    this.#seconds += (performance.now() - this.#since) / 1000;
  }

  /** Notes a step of an epoch, from 0, that was recorded. */
  made(epoch: number, tokens: number): void {
    this.step++;
    this.#unread.push({ epoch: epoch + 1, tokens });
    this.#pace.count++;
  }

  /** The events of the steps since the last call. Waits for the GPU. Throws where a loss is no number. */
  async *read(optimizer: AdamW): AsyncGenerator<StepEvent> {
    const records = await optimizer.readHistory();
    this.#pace.waited();
    this.pause();
    this.resume();
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
