/** How sure a macro F1 is. */

/** The 97.5 % quantile of the standard normal distribution. */
const z = 1.959963984540054;

/**
 * A 95 % interval of the macro F1 of a confusion matrix of counts, `[actual][predicted]`: the normal one, by the delta
 * method over the cells' multinomial distribution (Takahashi, Yamamoto, Kuchiba and Koyama 2022, "Confidence interval for
 * micro-averaged F1 and macro-averaged F1 scores"). Undefined where nothing was counted.
 */
export function macroF1Interval(
  confusion: readonly (readonly number[])[],
): [number, number] | undefined {
  const classes = confusion.length;
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const count = sum(confusion.map(sum));
  if (count === 0) return undefined;
  const share = confusion.map((row) => row.map((value) => value / count));
  /** Of each class, rows that have it and rows that are given it. */
  const both = share.map((row, index) => sum(row) + sum(share.map((other) => other[index])));
  const ofClass = (index: number) => both[index] === 0 ? 0 : 2 * share[index][index] / both[index];
  const score = sum(share.map((_, index) => ofClass(index))) / classes;
  /** What a row of the class less or more, hit or missed, changes of the class's F1. */
  const slope = (index: number) => both[index] === 0 ? 0 : ofClass(index) / both[index];
  const hit = (index: number) => both[index] === 0 ? 0 : 2 / both[index];
  let mean = 0;
  let squares = 0;
  share.forEach((row, actual) =>
    row.forEach((value, predicted) => {
      const change = (actual === predicted ? hit(actual) : 0) - slope(actual) - slope(predicted);
      mean += value * change / classes;
      squares += value * (change / classes) ** 2;
    })
  );
  const half = z * Math.sqrt(Math.max(0, squares - mean ** 2) / count);
  return [Math.max(0, score - half), Math.min(1, score + half)];
}
