/** The error of a step whose loss or gradients are no numbers: what is known of the step and its texts. */
import type { StepRecord } from "../../engine/optimizer.ts";
import type { Example } from "../data/clean.ts";
import { listed, UserError } from "../errors.ts";

/** A text of the training part, and its index there. */
export interface Drawn {
  index: number;
  example: Example;
}

export interface FailedStep extends StepRecord {
  /** From 1. */
  step: number;
  totalSteps: number;
  /** From 1. */
  epoch: number;
  /** What the step was of. */
  drawn: readonly Drawn[];
}

const mostNamed = 8;
const longestText = 40;

/** The error to end a run with; `highestRate` is what its learning rates are shares of. */
export function notFinite(failed: FailedStep, highestRate: number): UserError {
  const { step, totalSteps, epoch, learningRate, loss, gradientNorm, drawn, lossScale } = failed;
  const range = lossScale === undefined ? "" : ", or a value is beyond f16's range of 65504";
  return new UserError(
    `Step ${step} of ${totalSteps} (epoch ${epoch}, learning rate ${short(learningRate)}): the ` +
      `loss is ${short(loss)} and the gradient norm ${short(gradientNorm)}. ${textsOf(drawn)} ` +
      `The learning rate is too high, or the weights are damaged${range}.`,
    { remedy: { kind: "lowerLearningRate", rate: highestRate } },
  );
}

const short = (value: number) => Number(value.toPrecision(3));

/** A sentence on a step's texts: rows of the data set where they are known, and places in the training part. */
function textsOf(drawn: readonly Drawn[]): string {
  const [{ example: { row, text } }] = drawn;
  const places = listed(drawn.map(({ index }) => index + 1), mostNamed);
  const rows = listed(drawn.flatMap(({ example: { row } }) => row ?? []), mostNamed);
  const first = row === undefined ? "the first" : `row ${row}`;
  return `Its texts are ${
    row === undefined ? "" : `rows ${rows} of the data set, `
  }numbers ${places} ` +
    `of the training part; ${first} begins ${JSON.stringify(beginning(text))}.`;
}

/** The first words of a text. */
function beginning(text: string): string {
  const letters = [...text.replace(/\s+/g, " ")];
  if (letters.length <= longestText) return letters.join("");
  return `${letters.slice(0, longestText).join("").replace(/ \S*$/, "")} …`;
}
