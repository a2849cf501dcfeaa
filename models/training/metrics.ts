/** How well predictions fit, by scikit-learn's definitions with `zero_division=0`. */

export interface Metrics {
  /** Number of examples. */
  count: number;
  /** Mean cross-entropy. */
  loss: number;
  accuracy: number;
  /** Wilson's 95 % interval of the accuracy. */
  accuracyInterval: [number, number];
  macroPrecision: number;
  macroRecall: number;
  macroF1: number;
  /** In the order of the labels. */
  perClass: { label: string; precision: number; recall: number; f1: number; support: number }[];
  /** What was taken for what: of many classes the whole matrix would take all memory. */
  confusion: Confusion;
}

/** The counts above 0 of a confusion matrix, `[actual, predicted, rows]`, row by row. */
export type Confusion = [actual: number, predicted: number, rows: number][];

/** The 97.5 % quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * Wilson's 95 % interval of a proportion (E. B. Wilson 1927, "Probable inference, the law of
 * succession, and statistical inference"); [0, 1] where there is nothing to count.
 */
export function wilsonInterval(successes: number, count: number): [number, number] {
  if (count === 0) return [0, 1];
  const share = successes / count;
  const centre = (share + z ** 2 / (2 * count)) / (1 + z ** 2 / count);
  const half = (z / (1 + z ** 2 / count)) *
    Math.sqrt(share * (1 - share) / count + z ** 2 / (4 * count ** 2));
  // At 0 and 1 the bound is exact; rounding would miss it by 1e-17.
  return [
    successes === 0 ? 0 : Math.max(0, centre - half),
    successes === count ? 1 : Math.min(1, centre + half),
  ];
}

const ratio = (part: number, whole: number) => whole === 0 ? 0 : part / whole;

/** 0 of no values. */
export const mean = (values: readonly number[]): number =>
  ratio(values.reduce((sum, value) => sum + value, 0), values.length);

/**
 * Metrics of predictions, `actual` and `predicted` as indices into `labels`. Macro averages go over
 * all labels, those that occur in neither list included (their precision, recall and F1 count 0), as
 * scikit-learn computes them when `labels` names all. `loss` is passed through. Throws where the
 * lists differ in length or hold what is no index.
 */
export function computeMetrics(
  labels: readonly string[],
  actual: ArrayLike<number>,
  predicted: ArrayLike<number>,
  loss: number,
): Metrics {
  const count = actual.length;
  if (predicted.length !== count) {
    throw new Error(`${count} actual labels, but ${predicted.length} predicted ones.`);
  }
  const hits = labels.map(() => 0);
  const support = labels.map(() => 0);
  const named = labels.map(() => 0);
  const counts = new Map<number, number>();
  for (let i = 0; i < count; i++) {
    if (!(actual[i] in labels) || !(predicted[i] in labels)) {
      throw new Error(
        `Example ${i}: classes ${actual[i]} and ${predicted[i]}, but there are ${labels.length}.`,
      );
    }
    if (actual[i] === predicted[i]) hits[actual[i]]++;
    support[actual[i]]++;
    named[predicted[i]]++;
    const cell = actual[i] * labels.length + predicted[i];
    counts.set(cell, (counts.get(cell) ?? 0) + 1);
  }
  const perClass = labels.map((label, index) => ({
    label,
    precision: ratio(hits[index], named[index]),
    recall: ratio(hits[index], support[index]),
    f1: ratio(2 * hits[index], support[index] + named[index]),
    support: support[index],
  }));
  const correct = hits.reduce((sum, value) => sum + value, 0);
  return {
    count,
    loss,
    accuracy: ratio(correct, count),
    accuracyInterval: wilsonInterval(correct, count),
    macroPrecision: mean(perClass.map(({ precision }) => precision)),
    macroRecall: mean(perClass.map(({ recall }) => recall)),
    macroF1: mean(perClass.map(({ f1 }) => f1)),
    perClass,
    confusion: [...counts].sort(([a], [b]) => a - b).map(([cell, rows]) => [
      Math.floor(cell / labels.length),
      cell % labels.length,
      rows,
    ]),
  };
}
