/**
 * Bag of words: tf–idf and a softmax regression. What it reaches needs no pretrained model and no GPU, so that a
 * fine-tuned model should be above it.
 */
import type { Split } from "../data/split.ts";
import { computeMetrics, type Metrics } from "../training/metrics.ts";
import { fitSoftmaxRegression, predictRows, scoreRow } from "./softmax_regression.ts";
import { type Terms, Tfidf } from "./tfidf.ts";

const mostTerms = 20_000;

export interface BagOfWords {
  trainableParameters: number;
  test: Metrics;
  trainingSeconds: number;
}

/** Trains on a split's training part and tests on its test part. */
export async function trainBagOfWords(
  { train, test }: Pick<Split, "train" | "test">,
  labels: readonly string[],
  terms: Terms,
): Promise<BagOfWords> {
  const started = performance.now();
  const tfidf = new Tfidf(train.map(({ text }) => text), terms, mostTerms);
  const model = await fitSoftmaxRegression({
    rows: train.map(({ text }) => tfidf.row(text)),
    labels: train.map(({ label }) => label),
    width: tfidf.width,
    classes: labels.length,
  });
  const trainingSeconds = (performance.now() - started) / 1000;
  const rows = test.map(({ text }) => tfidf.row(text));
  const actual = test.map(({ label }) => label);
  const scores = new Float64Array(labels.length);
  let loss = 0;
  for (const [place, row] of rows.entries()) {
    scoreRow(row, model, scores);
    const highest = Math.max(...scores);
    const sum = scores.reduce((total, score) => total + Math.exp(score - highest), 0);
    loss += (highest + Math.log(sum) - scores[actual[place]]) / rows.length;
  }
  return {
    trainableParameters: labels.length * (tfidf.width + 1),
    test: computeMetrics(labels, actual, predictRows(rows, model), loss),
    trainingSeconds,
  };
}
