/** A step as `steps.jsonl` of a run's folder tells it. */
import type { StepEvent } from "./events.ts";

/** One line of the file, with its end. */
export function stepLine(event: StepEvent): string {
  return `${
    JSON.stringify({
      step: event.step,
      epoch: event.epoch,
      loss: event.loss,
      gradient_norm: event.gradientNorm,
      learning_rate: event.learningRate,
      tokens: event.tokens,
      tokens_per_second: event.tokensPerSecond,
      ...(event.skipped && { skipped: true }),
    })
  }\n`;
}
