/** Counts a run's steps, tokens and time, and turns the GPU's history into events. */
import { type AdamW, historySlots } from "../../engine/optimizer.ts";
import type { StepEvent } from "./events.ts";
import { type Drawn, notFinite } from "./not_finite.ts";
import { Pace } from "./pace.ts";

export class Progress {
  /** Steps recorded so far. */
  step: number;
  /** Real tokens of the steps that were read. */
  tokens: number;
  #unread: { epoch: number; tokens: number; drawn: readonly Drawn[] }[] = [];
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
  made(epoch: number, tokens: number, drawn: readonly Drawn[]): void {
    this.step++;
    this.#unread.push({ epoch: epoch + 1, tokens, drawn });
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
    for (const [index, record] of records.entries()) {
      const { loss, gradientNorm, learningRate, skipped } = record;
      const { epoch, tokens, drawn } = unread[index];
      const step = first + index;
      if (!Number.isFinite(loss) || !(Number.isFinite(gradientNorm) || skipped)) {
        const failed = { ...record, step, totalSteps: this.#totalSteps, epoch, drawn };
        throw notFinite(failed, this.#learningRate);
      }
      this.tokens += tokens;
      yield {
        type: "step",
        step,
        epoch,
        loss,
        gradientNorm: skipped ? 0 : gradientNorm,
        learningRate,
        tokens,
        tokensPerSecond: this.tokensPerSecond,
        ...(skipped && { skipped }),
      };
    }
  }
}
