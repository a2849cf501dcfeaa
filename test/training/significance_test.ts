import assert from "node:assert/strict";
import fc from "fast-check";
import { domains, HostRandom } from "../../engine/random.ts";
import { computeMetrics } from "../../models/training/metrics.ts";
import {
  accuracyOver,
  type Answers,
  bootstrapScores,
  comparePair,
  interval95,
  macroF1Over,
  mcnemarExact,
} from "../../models/training/significance.ts";

const close = (actual: number, expected: number, within = 1e-12) =>
  assert.ok(
    Math.abs(actual - expected) <= within * Math.max(1, expected),
    `${actual}, ${expected}`,
  );

Deno.test("McNemar's exact p value is the binomial test's, for thousands of rows too", () => {
  // scipy.stats.binomtest(k, n, 0.5).pvalue
  const cases: [number, number, number][] = [
    [0, 0, 1],
    [5, 5, 1],
    [3, 9, 0.14599609375],
    [1, 9, 0.021484375],
    [0, 6, 0.03125],
    [40, 60, 0.05688793364098079],
    [1900, 2100, 0.0016492663751356998],
  ];
  for (const [a, b, p] of cases) {
    close(mcnemarExact(a, b), p, 1e-9);
    assert.equal(mcnemarExact(a, b), mcnemarExact(b, a));
  }
});

Deno.test("scores over all rows are those of the metrics", () => {
  const classes = fc.integer({ min: 0, max: 3 });
  fc.assert(fc.property(fc.array(fc.tuple(classes, classes), { minLength: 1 }), (pairs) => {
    const actual = pairs.map(([label]) => label);
    const predicted = pairs.map(([, answer]) => answer);
    const rows = pairs.map((_, row) => row);
    const metrics = computeMetrics(["a", "b", "c", "d"], actual, predicted, 0);
    close(accuracyOver(actual, predicted, rows), metrics.accuracy);
    close(macroF1Over(actual, predicted, rows, 4), metrics.macroF1);
  }));
});

/** Answers that are right with a probability, of one of three classes. */
function answersOf(rows: number, right: number, stream: number, seeds = 1): Answers {
  const random = new HostRandom(1, domains.sample, stream);
  const actual = Array.from({ length: rows }, (_, row) => row % 3);
  const answer = (label: number) =>
    random.uniform() < right ? label : (label + 1 + random.integer(2)) % 3;
  return { actual, predicted: Array.from({ length: seeds }, () => actual.map(answer)), classes: 3 };
}

Deno.test("an interval covers the score, narrows with rows, and widens with what seeds disagree in", () => {
  const [low, high] = interval95(bootstrapScores([answersOf(100, 0.7, 1)])[0].accuracy.drawn);
  assert.ok(low < 0.7 && high > 0.7 && high - low > 0.1 && high - low < 0.25, `${low} to ${high}`);
  const many = interval95(bootstrapScores([answersOf(1600, 0.7, 1)])[0].accuracy.drawn);
  assert.ok(many[1] - many[0] < (high - low) / 2, `${many}`);
  const bad = answersOf(1600, 0.3, 2).predicted[0];
  const good = answersOf(1600, 0.7, 3);
  const mixed = bootstrapScores([{ ...good, predicted: [good.predicted[0], bad] }])[0].accuracy;
  close(mixed.all, 0.5, 0.02);
  const wide = interval95(mixed.drawn);
  assert.ok(wide[1] - wide[0] > 0.3, `${wide}`);
});

Deno.test("two methods are told apart where rows allow it, and not where they do not", () => {
  const pair = (first: Answers, second: Answers) => {
    const [a, b] = bootstrapScores([first, second]);
    return comparePair({ answers: first, scores: a }, { answers: second, scores: b });
  };
  const apart = pair(answersOf(1000, 0.8, 1), answersOf(1000, 0.6, 2));
  assert.ok(apart.toldApart && apart.macroF1 > 0.15 && apart.mcnemar < 1e-6, JSON.stringify(apart));
  const few = pair(answersOf(60, 0.66, 1), answersOf(60, 0.6, 2));
  assert.ok(!few.toldApart, JSON.stringify(few));
  const same = answersOf(300, 0.6, 4);
  assert.deepEqual(pair(same, same), {
    accuracy: 0,
    macroF1: 0,
    macroF1Interval: [0, 0],
    mcnemar: 1,
    toldApart: false,
  });
  const threeSeeds = pair(answersOf(500, 0.8, 1, 3), answersOf(500, 0.6, 2));
  assert.ok(threeSeeds.toldApart);
  assert.throws(() => pair(answersOf(10, 1, 1), answersOf(11, 1, 1)), /the same rows only/);
});
