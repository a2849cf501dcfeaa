/**
 * What the numbers of a comparison say, in two sentences. Methods are told apart by paired tests of the same sentences
 * where their answers were kept, else where the 95 % intervals of their accuracies do not overlap, the careful side.
 */
import { formatCount, formatPercent } from "../shared/format.ts";

/** A method that is judged, on the same test sentences as the others. */
export interface JudgedRun {
  name: string;
  accuracy: number;
  interval: readonly [number, number];
  macroF1: number;
  trainable: number;
}

export type Standing = "best" | "not told apart" | "lower";

export interface Verdict {
  sentences: string[];
  /** Of each run, in their order. */
  standings: Standing[];
  /** Index, in their order, of the run with the highest accuracy; of several the one that trains least. */
  best: number;
}

/** What the runs were tested on. */
export interface TestPart {
  /** Sentences, where it is known how many. */
  count?: number;
  /** The accuracy of always answering the most frequent label, where it is known. */
  baseline?: number;
  /** Paired tests, by names, where there were some. */
  pairs?: readonly { first: string; second: string; toldApart: boolean }[];
}

const score = (value: number) => value.toFixed(3);
const intervalOf = ({ interval: [low, high] }: JudgedRun) =>
  `95\u00a0% interval ${score(low)} to ${score(high)}`;

/** Judges at least one run. */
export function verdict(runs: readonly JudgedRun[], part: TestPart): Verdict {
  const order = runs.map((_, index) => index).sort((a, b) =>
    runs[b].accuracy - runs[a].accuracy || runs[a].trainable - runs[b].trainable
  );
  const [best] = order;
  const standings = runs.map((run, index): Standing =>
    index === best ? "best" : isApart(run, runs[best], part) ? "lower" : "not told apart"
  );
  const rivals = runs.filter((_, index) => standings[index] === "not told apart");
  const sentences = runs.length === 1
    ? [describeOne(runs[0], part), compareWithBaseline(runs[0], part)]
    : [
      describeBest(runs[best], part),
      describeRivals(runs[best], rivals, runs.length - 1, isPaired(runs[best], part)),
    ];
  return { sentences: sentences.filter((sentence) => sentence !== ""), standings, best };
}

const pairOf = (a: JudgedRun, b: JudgedRun, { pairs = [] }: TestPart) =>
  pairs.find(({ first, second }) =>
    (first === a.name && second === b.name) || (first === b.name && second === a.name)
  );

const isPaired = ({ name }: JudgedRun, { pairs = [] }: TestPart) =>
  pairs.some(({ first, second }) => first === name || second === name);

/** By a paired test where there was one, else where intervals do not overlap. */
function isApart(run: JudgedRun, best: JudgedRun, part: TestPart): boolean {
  return pairOf(run, best, part)?.toldApart ?? run.interval[1] < best.interval[0];
}

function describeOne(run: JudgedRun, { count }: TestPart): string {
  const scores = `accuracy ${score(run.accuracy)} (${intervalOf(run)}), macro F1 ` +
    `${score(run.macroF1)}`;
  return count === undefined
    ? `${run.name} reaches ${scores} on the test sentences.`
    : `${run.name} labels ${formatCount(run.accuracy * count)} of ${formatCount(count)} test ` +
      `sentences right: ${scores}.`;
}

const baselineWords = (baseline: number) =>
  `always answering the most frequent label (${score(baseline)})`;

function compareWithBaseline(run: JudgedRun, { baseline }: TestPart): string {
  if (baseline === undefined) return "";
  const words = baselineWords(baseline);
  if (run.interval[0] > baseline) return `That is better than ${words}.`;
  return run.interval[1] < baseline
    ? `That is worse than ${words}.`
    : `That is not told apart from ${words}.`;
}

function describeBest(run: JudgedRun, { count, baseline }: TestPart): string {
  const doubt = baseline === undefined || run.interval[0] > baseline
    ? ""
    : `; that is not told apart from ${baselineWords(baseline)}`;
  const part = count === undefined ? "the test" : `the ${formatCount(count)} test`;
  return `${run.name} has the highest accuracy on ${part} sentences, ` +
    `${score(run.accuracy)} (${intervalOf(run)}), with ${formatCount(run.trainable)} trainable ` +
    `parameters${doubt}.`;
}

function describeRivals(
  best: JudgedRun,
  rivals: readonly JudgedRun[],
  others: number,
  paired: boolean,
): string {
  if (rivals.length === 0) {
    const whom = others === 1 ? "the other" : `all ${others} others`;
    const theirs = others === 1 ? "that one’s" : "theirs";
    const why = paired ? "by paired tests" : `its interval lies above ${theirs}`;
    return `It is told apart from ${whom}: ${why}.`;
  }
  const why = paired ? "by paired tests" : "as the intervals overlap";
  const [smallest] = rivals.toSorted((a, b) => a.trainable - b.trainable);
  const size = smallest.trainable < best.trainable
    ? `trains ${formatCount(smallest.trainable)} parameters, ${
      formatPercent(100 * smallest.trainable / best.trainable)
    } as many`
    : `trains no fewer parameters`;
  if (rivals.length === 1) {
    return `${smallest.name} is not told apart from it, ${why}, and ${size}.`;
  }
  const whom = rivals.length === others
    ? `None of the ${others} others is told apart from it`
    : `${rivals.length} of the ${others} others are not told apart from it`;
  return `${whom}, ${why}; the smallest of them, ${smallest.name}, ${size}.`;
}
