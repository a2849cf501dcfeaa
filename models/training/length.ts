/** How long a run is, and after which steps it is evaluated. */
import type { Hyperparameters } from "./events.ts";

export interface Length {
  sentencesPerStep: number;
  stepsPerEpoch: number;
  totalSteps: number;
  warmupSteps: number;
  /** An evaluation comes after every so many steps, and one after the last. */
  evalSteps: number;
}

/** What the length of a run depends on, besides its examples. */
export type LengthSettings = Pick<
  Hyperparameters,
  | "batchSize"
  | "gradientAccumulationSteps"
  | "epochs"
  | "maxSteps"
  | "evalSteps"
  | "warmupSteps"
  | "warmupRatio"
>;

/** The length of a run over so many examples. Throws where it would have no step, or no evaluation. */
export function lengthOf(hyperparameters: LengthSettings, examples: number): Length {
  const { batchSize, gradientAccumulationSteps, epochs, maxSteps, evalSteps } = hyperparameters;
  for (const [name, count = 1] of Object.entries({ examples, epochs, maxSteps, evalSteps })) {
    if (!(Number.isInteger(count) && count >= 1)) {
      throw new Error(`A run cannot have ${name} ${count}: take a whole number of 1 or more.`);
    }
  }
  const sentencesPerStep = batchSize * gradientAccumulationSteps;
  const stepsPerEpoch = Math.ceil(examples / sentencesPerStep);
  const totalSteps = maxSteps ?? stepsPerEpoch * epochs;
  return {
    sentencesPerStep,
    stepsPerEpoch,
    totalSteps,
    warmupSteps: warmupStepsOf(hyperparameters, totalSteps),
    evalSteps: evalSteps ?? stepsPerEpoch,
  };
}

/** Steps of the warm-up in a run of so many. */
function warmupStepsOf(
  { warmupRatio, warmupSteps }: Pick<Hyperparameters, "warmupRatio" | "warmupSteps">,
  totalSteps: number,
): number {
  return warmupRatio === undefined ? warmupSteps : Math.ceil(warmupRatio * totalSteps);
}

/** The step, from 1, after which the so-manieth evaluation comes, from 0. */
export function stepOfEvaluation({ evalSteps, totalSteps }: Length, index: number): number {
  return Math.min((index + 1) * evalSteps, totalSteps);
}

/** The epoch, from 1, in which a step lies, from 1. */
export function epochOf({ stepsPerEpoch }: Length, step: number): number {
  return Math.ceil(step / stepsPerEpoch);
}

/** Sentences on settings that a run of this length cannot make use of. */
export function lengthWarnings(
  { scheduler, evalSteps }: Hyperparameters,
  { totalSteps, warmupSteps }: Length,
): string[] {
  const warnings: string[] = [];
  if (totalSteps <= warmupSteps && scheduler !== "constant") {
    warnings.push(
      `${totalSteps === 1 ? "The one step lies" : `All ${totalSteps} steps lie`} within the ` +
        `warm-up of ${warmupSteps}: the learning rate ` +
        `never reaches its value. Have fewer warm-up steps, or train longer.`,
    );
  }
  if (evalSteps !== undefined && evalSteps > totalSteps) {
    warnings.push(
      `An evaluation every ${evalSteps} steps is more than ` +
        `${
          totalSteps === 1 ? "the one step there is" : `all ${totalSteps} steps`
        }: there is one, ` +
        `at the end.`,
    );
  }
  return warnings;
}
