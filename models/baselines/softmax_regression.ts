/**
 * Multinomial logistic regression over sparse rows, as scikit-learn's LogisticRegression: the mean cross-entropy and
 * ‖W‖² / (2 C n), the intercept left free. On the host and in float64: as a dense product of some ten thousand columns
 * on the adapter it took 135 s for 1,118 rows on two cores with llvmpipe, and here takes a second.
 */
import type { SparseRow } from "./tfidf.ts";

export interface SoftmaxRegression {
  /** [width, classes] */
  weights: Float64Array;
  /** [classes] */
  intercept: Float64Array;
}

export interface RegressionData {
  rows: readonly SparseRow[];
  labels: readonly number[];
  width: number;
  classes: number;
}

/** scikit-learn's defaults: the inverse strength of the penalty, and the gradient's norm to stop at. */
const inversePenalty = 1;
const tolerance = 1e-4;
const mostIterations = 300;

/** A row's class scores, added to `scores`. */
export function scoreRow(
  { columns, values }: SparseRow,
  { weights, intercept }: SoftmaxRegression,
  scores: Float64Array,
): void {
  scores.set(intercept);
  const classes = intercept.length;
  for (let at = 0; at < columns.length; at++) {
    const first = columns[at] * classes;
    for (let index = 0; index < classes; index++) {
      scores[index] += values[at] * weights[first + index];
    }
  }
}

/** The class with the highest score, for each row. */
export function predictRows(rows: readonly SparseRow[], model: SoftmaxRegression): number[] {
  const scores = new Float64Array(model.intercept.length);
  return rows.map((row) => {
    scoreRow(row, model, scores);
    return scores.indexOf(Math.max(...scores));
  });
}

/** Scores to probabilities, in place. */
function toProbabilities(scores: Float64Array): void {
  const highest = Math.max(...scores);
  let sum = 0;
  for (let index = 0; index < scores.length; index++) {
    sum += scores[index] = Math.exp(scores[index] - highest);
  }
  for (let index = 0; index < scores.length; index++) scores[index] /= sum;
}

/** The gradient at a point, in `gradient`; returns its norm. */
function gradientAt(
  { rows, labels, classes }: RegressionData,
  at: SoftmaxRegression,
  gradient: SoftmaxRegression,
): number {
  const penalty = 1 / (inversePenalty * rows.length);
  for (let index = 0; index < at.weights.length; index++) {
    gradient.weights[index] = penalty * at.weights[index];
  }
  gradient.intercept.fill(0);
  const errors = new Float64Array(classes);
  for (const [place, row] of rows.entries()) {
    scoreRow(row, at, errors);
    toProbabilities(errors);
    errors[labels[place]] -= 1;
    for (let index = 0; index < classes; index++) {
      gradient.intercept[index] += errors[index] / rows.length;
    }
    for (let entry = 0; entry < row.columns.length; entry++) {
      const first = row.columns[entry] * classes;
      const share = row.values[entry] / rows.length;
      for (let index = 0; index < classes; index++) {
        gradient.weights[first + index] += share * errors[index];
      }
    }
  }
  let squares = 0;
  for (const value of gradient.weights) squares += value ** 2;
  for (const value of gradient.intercept) squares += value ** 2;
  return Math.sqrt(squares);
}

/** The largest eigenvalue of XᵀX / n, with a column of ones for the intercept, by power iteration. */
function largestEigenvalue({ rows, width }: RegressionData): number {
  let vector = new Float64Array(width + 1).fill(1 / Math.sqrt(width + 1));
  let value = 1;
  for (let iteration = 0; iteration < 20; iteration++) {
    const next = new Float64Array(width + 1);
    for (const { columns, values } of rows) {
      let product = vector[width];
      for (let at = 0; at < columns.length; at++) product += values[at] * vector[columns[at]];
      for (let at = 0; at < columns.length; at++) {
        next[columns[at]] += values[at] * product / rows.length;
      }
      next[width] += product / rows.length;
    }
    value = Math.sqrt(next.reduce((sum, entry) => sum + entry ** 2, 0));
    vector = next.map((entry) => entry / value);
  }
  return value;
}

/** Fits by accelerated gradient descent (Nesterov 1983), whose steps the data's curvature sets; ends as scikit-learn does. */
export async function fitSoftmaxRegression(data: RegressionData): Promise<SoftmaxRegression> {
  const { rows, width, classes } = data;
  const zeros = (): SoftmaxRegression => ({
    weights: new Float64Array(width * classes),
    intercept: new Float64Array(classes),
  });
  const [model, ahead, gradient] = [zeros(), zeros(), zeros()];
  // Half bounds the curvature of the cross-entropy in the scores.
  const step = 1 / (0.5 * 1.02 * largestEigenvalue(data) + 1 / (inversePenalty * rows.length));
  for (let iteration = 0; iteration < mostIterations; iteration++) {
    if (gradientAt(data, ahead, gradient) < tolerance) break;
    await new Promise((resolve) => setTimeout(resolve)); // a signal is heard between two of them
    const momentum = iteration / (iteration + 3);
    for (const part of ["weights", "intercept"] as const) {
      const [own, next, slope] = [model[part], ahead[part], gradient[part]];
      for (let index = 0; index < own.length; index++) {
        const moved = next[index] - step * slope[index];
        next[index] = moved + momentum * (moved - own[index]);
        own[index] = moved;
      }
    }
  }
  return model;
}
