/** Whether two methods differ, or chance told them apart: intervals and paired tests over the rows of the test part. */
import { domains, HostRandom } from "../../engine/random.ts";
import { mean } from "./metrics.ts";

/** What a method answered: its class for each row of the test part, once for each seed that it was trained with. */
export interface Answers {
  /** The rows' classes. */
  actual: readonly number[];
  /** `[seed][row]`. */
  predicted: readonly (readonly number[])[];
  classes: number;
}

/** Accuracy over some rows, which may be named repeatedly. */
export function accuracyOver(
  actual: readonly number[],
  predicted: readonly number[],
  rows: readonly number[],
): number {
  let right = 0;
  for (const row of rows) if (actual[row] === predicted[row]) right++;
  return right / rows.length;
}

/** Macro F1 over some rows and all classes, one that occurs in neither list counting 0, as in metrics.ts. */
export function macroF1Over(
  actual: readonly number[],
  predicted: readonly number[],
  rows: readonly number[],
  classes: number,
): number {
  const hits = new Uint32Array(classes);
  const named = new Uint32Array(2 * classes); // by the label, and by the answer
  for (const row of rows) {
    if (actual[row] === predicted[row]) hits[actual[row]]++;
    named[actual[row]]++;
    named[classes + predicted[row]]++;
  }
  let sum = 0;
  for (let index = 0; index < classes; index++) {
    const total = named[index] + named[classes + index];
    if (total > 0) sum += 2 * hits[index] / total;
  }
  return sum / classes;
}

/**
 * Two-sided p value of McNemar's exact test (1947): of the rows that just one of two methods has right, whether each is
 * as likely to have them, by the binomial distribution at 1/2. 1 where there are none.
 */
export function mcnemarExact(onlyFirst: number, onlySecond: number): number {
  const trials = onlyFirst + onlySecond;
  const fewer = Math.min(onlyFirst, onlySecond);
  // Terms by their logarithms: the coefficients of some thousand trials exceed a float64.
  let logTerm = -trials * Math.LN2;
  let tail = 0;
  for (let count = 0; count <= fewer; count++) {
    tail += Math.exp(logTerm);
    logTerm += Math.log(trials - count) - Math.log(count + 1);
  }
  return Math.min(1, 2 * tail);
}

/** Drawings of the bootstrap: fewer for a large test part, which needs them less and makes each dearer. */
const drawings = (rows: number) => Math.min(2000, Math.max(400, Math.round(4e6 / rows)));

const scores = { accuracy: accuracyOver, macroF1: macroF1Over } as const;
export type Score = keyof typeof scores;

/** A method's scores, each the mean over its seeds: on all rows, and in each drawing. */
export type Scores = Record<Score, { all: number; drawn: Float64Array }>;

/**
 * The scores of methods on the same rows under the bootstrap (Efron 1979): rows drawn with replacement, and for each
 * drawing the seeds likewise, so that it covers the choice of test texts and of training's randomness. All methods share
 * the drawings, which makes differences between them paired. Throws where the rows are not the same.
 */
export function bootstrapScores(methods: readonly Answers[]): Scores[] {
  const { actual } = methods[0];
  const rows = actual.length;
  for (const other of methods) {
    if (other.actual.length !== rows || other.actual.some((label, row) => label !== actual[row])) {
      throw new Error("Methods can be compared on the same rows only.");
    }
  }
  const random = new HostRandom(0, domains.bootstrap);
  const seeds = Math.max(...methods.map(({ predicted }) => predicted.length));
  const everyRow = actual.map((_, row) => row);
  const results = methods.map((): Scores => ({
    accuracy: { all: 0, drawn: new Float64Array(drawings(rows)) },
    macroF1: { all: 0, drawn: new Float64Array(drawings(rows)) },
  }));
  for (let drawing = -1; drawing < drawings(rows); drawing++) {
    const draw = (count: number) => Array.from({ length: count }, () => random.integer(count));
    const drawnRows = drawing < 0 ? everyRow : draw(rows);
    const drawnSeeds = drawing < 0 ? undefined : draw(seeds);
    for (const [index, { predicted, classes }] of methods.entries()) {
      // One with fewer seeds than another repeats them.
      const own = drawnSeeds?.map((seed) => seed % predicted.length) ?? [...predicted.keys()];
      for (const score of ["accuracy", "macroF1"] as const) {
        const value = mean(
          own.map((seed) => scores[score](actual, predicted[seed], drawnRows, classes)),
        );
        if (drawing < 0) results[index][score].all = value;
        else results[index][score].drawn[drawing] = value;
      }
    }
  }
  return results;
}

/** The 95 % interval of drawn values: their percentiles 2.5 and 97.5. */
export function interval95(drawn: ArrayLike<number>): [number, number] {
  const sorted = Float64Array.from(drawn).sort();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return [at(0.025), at(0.975)];
}

/** How two methods differ on the same rows: the first minus the second. */
export interface Difference {
  accuracy: number;
  macroF1: number;
  /** 95 % interval of the difference in macro F1, by the paired bootstrap over rows and seeds. */
  macroF1Interval: [number, number];
  /** McNemar's p value, on the answers of the first seed of each. */
  mcnemar: number;
  /** Whether the rows tell the two apart: the interval leaves 0 out, and the p value is below 0.05. */
  toldApart: boolean;
}

/** Compares two methods by their answers, and by their scores under shared drawings. */
export function comparePair(
  first: { answers: Answers; scores: Scores },
  second: { answers: Answers; scores: Scores },
): Difference {
  const gap = (score: Score) => first.scores[score].all - second.scores[score].all;
  const other = second.scores.macroF1.drawn;
  const macroF1Interval = interval95(
    first.scores.macroF1.drawn.map((value, at) => value - other[at]),
  );
  const { actual } = first.answers;
  const right = ({ predicted: [answers] }: Answers, row: number) => answers[row] === actual[row];
  const only = (a: Answers, b: Answers) =>
    actual.filter((_, row) => right(a, row) && !right(b, row)).length;
  const mcnemar = mcnemarExact(
    only(first.answers, second.answers),
    only(second.answers, first.answers),
  );
  const [low, high] = macroF1Interval;
  return {
    accuracy: gap("accuracy"),
    macroF1: gap("macroF1"),
    macroF1Interval,
    mcnemar,
    toldApart: (low > 0 || high < 0) && mcnemar < 0.05,
  };
}
