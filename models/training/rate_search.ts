/**
 * The search for a learning rate by successive halving (Jamieson and Talwalkar 2016) over a logarithmic grid: all rates train
 * for an eighth of the steps, the better half of them for a quarter, the better half of those for a half. Each trial is a
 * training of its own, whose schedule ends with it, so that a rate is judged by what it reaches, not by how it begins. All
 * trials together cost three trainings, for every method alike.
 */

/** Eight rates from 1e-5 to 3e-2, about a factor of √10 apart. */
export const rateGrid: readonly number[] = [1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2];

/** A training that was tried. */
export interface Trial {
  learningRate: number;
  /** Optimiser steps. */
  steps: number;
  /** Of the validation part, after the last step; undefined where the training came to no number. */
  loss?: number;
  macroF1?: number;
}

/** How many rates train for how many steps. */
export function rungsOf(totalSteps: number): { rates: number; steps: number }[] {
  return [8, 4, 2].map((rates) => ({ rates, steps: Math.max(1, Math.round(totalSteps / rates)) }));
}

/** Trials of one length, the best first: by validation's loss, whose chance is smaller than that of a score. */
function ranked(trials: readonly Trial[]): Trial[] {
  const lossOf = ({ loss = Infinity }: Trial) => loss;
  return trials.toSorted((a, b) => lossOf(a) - lossOf(b) || a.learningRate - b.learningRate);
}

/**
 * What is to be tried next after these trials, or the rate that they choose. The trials may come in any order, and from an
 * earlier process. Undefined where no rate comes to a number.
 */
export function nextTrial(
  trials: readonly Trial[],
  totalSteps: number,
): { trial: Pick<Trial, "learningRate" | "steps"> } | { chosen: number | undefined } {
  let rates = rateGrid;
  for (const rung of rungsOf(totalSteps)) {
    const { steps } = rung;
    const of = (learningRate: number) =>
      trials.find((trial) => trial.steps === steps && trial.learningRate === learningRate);
    const missing = rates.find((rate) => of(rate) === undefined);
    if (missing !== undefined) return { trial: { learningRate: missing, steps } };
    const best = ranked(rates.map((rate) => of(rate)!)).filter(({ loss }) => loss !== undefined);
    rates = best.slice(0, rung.rates / 2).map(({ learningRate }) => learningRate);
  }
  return { chosen: rates[0] };
}

/** How many trials a search makes, at most. */
export const trialCount = rungsOf(8).reduce((sum, { rates }) => sum + rates, 0);
