/** What `run.json` says of its data beside their names: labels by part, and how long the texts are. */
import type { Example } from "../../models/data/clean.ts";
import type { Split } from "../../models/data/split.ts";

/** The upper bounds of the lengths that are counted together; longer ones are the last count. */
const bounds = [2, 4, 6, 8, 10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320, 480];

const words = ({ text }: Example) => text.split(/\s+/).filter((word) => word !== "").length;

function countLabels(part: readonly Example[], classes: number): number[] {
  const counts = new Array<number>(classes).fill(0);
  for (const { label } of part) counts[label]++;
  return counts;
}

/** Rows of each label by part; and of all rows, how many have how many words. */
export function dataReport({ train, validation, test }: Split, labels: readonly string[]) {
  const parts = [train, validation, test].map((part) => countLabels(part, labels.length));
  const lengths = [train, validation, test].flatMap((part) => part.map(words))
    .sort((a, b) => a - b);
  const quantile = (share: number) => lengths[Math.ceil(share * lengths.length) - 1] ?? 0;
  const upTo = (bound: number) => lengths.filter((length) => length <= bound).length;
  const cumulated = [...bounds.map(upTo), lengths.length];
  return {
    label_counts: labels.map((label, index) => {
      const [inTrain, inValidation, inTest] = parts.map((counts) => counts[index]);
      return { label, train: inTrain, validation: inValidation, test: inTest };
    }),
    words: {
      median: quantile(0.5),
      percentile_95: quantile(0.95),
      longest: quantile(1),
      /** Rows of at most so many words and more than the bound before; `null` has no bound. */
      histogram: cumulated.map((count, index) => ({
        at_most: bounds[index] ?? null,
        rows: count - (cumulated[index - 1] ?? 0),
      })),
    },
  };
}
