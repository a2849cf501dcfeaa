/** What is said of runs, and how sure their scores are. */
import assert from "node:assert/strict";
import { paretoFront } from "../../cli/report/charts/scores.ts";
import { macroF1Interval } from "../../cli/report/intervals.ts";
import { type JudgedRun, verdict } from "../../cli/report/verdict.ts";
import { computeMetrics, wilsonInterval } from "../../models/training/metrics.ts";
import { domains, HostRandom } from "../../engine/random.ts";

/** A run that labels so many of a hundred (or `count`) sentences right. */
const judged = (name: string, right: number, trainable: number, count = 100): JudgedRun => ({
  name,
  accuracy: right / count,
  interval: wilsonInterval(right, count),
  macroF1: right / count,
  trainable,
});

const said = (runs: JudgedRun[], count = 100, baseline?: number) =>
  verdict(runs, { count, baseline }).sentences.map((text) => text.replaceAll("\u00a0", " "));

Deno.test("one run is described, and held against always answering one label", () => {
  const first =
    "LoRA labels 90 of 100 test sentences right: accuracy 0.900 (95 % interval 0.826 to " +
    "0.945), macro F1 0.900.";
  const run = judged("LoRA", 90, 5);
  assert.deepEqual(said([run]), [first]);
  const words = "always answering the most frequent label";
  assert.deepEqual(said([run], 100, 0.5), [first, `That is better than ${words} (0.500).`]);
  assert.deepEqual(said([run], 100, 0.9), [first, `That is not told apart from ${words} (0.900).`]);
  assert.deepEqual(said([run], 100, 0.99), [first, `That is worse than ${words} (0.990).`]);
  assert.deepEqual(
    verdict([run], {}).sentences.map((text) => text.replaceAll("\u00a0", " ")),
    ["LoRA reaches accuracy 0.900 (95 % interval 0.826 to 0.945), macro F1 0.900 on the test sentences."],
  );
});

Deno.test("runs whose intervals overlap are not told apart, and the smallest of them is named", () => {
  const full = judged("Full", 80, 1000);
  const first = "Full has the highest accuracy on the 100 test sentences, 0.800 (95 % interval " +
    "0.711 to 0.867), with 1,000 trainable parameters.";
  assert.deepEqual(said([full, judged("LoRA", 50, 10)]), [
    first,
    "It is told apart from the other: its interval lies above that one’s.",
  ]);
  assert.deepEqual(said([judged("A", 50, 20), full, judged("LoRA", 51, 10)]), [
    first,
    "It is told apart from all 2 others: its interval lies above theirs.",
  ]);
  const near = judged("LoRA", 78, 10);
  assert.deepEqual(said([near, full, judged("A", 50, 20)]), [
    first,
    "LoRA is not told apart from it, as the intervals overlap, and trains 10 parameters, 1.00 % as many.",
  ]);
  assert.deepEqual(said([near, full, judged("A", 75, 20), judged("B", 40, 5)]), [
    first,
    "2 of the 3 others are not told apart from it, as the intervals overlap; the smallest of " +
    "them, LoRA, trains 10 parameters, 1.00 % as many.",
  ]);
  assert.deepEqual(said([judged("Big", 79, 2000), full, judged("Huge", 75, 3000)]), [
    first,
    "None of the 2 others is told apart from it, as the intervals overlap; the smallest of " +
    "them, Big, trains no fewer parameters.",
  ]);
});

Deno.test("more sentences tell the same accuracies apart", () => {
  const runs = (count: number) => [
    judged("Full", 0.8 * count, 1000, count),
    judged("LoRA", 0.75 * count, 10, count),
  ];
  assert.deepEqual(verdict(runs(100), { count: 100 }).standings, ["best", "not told apart"]);
  assert.deepEqual(verdict(runs(10000), { count: 10000 }).standings, ["best", "lower"]);
});

Deno.test("of equally accurate runs the smallest is the best, and chance is told", () => {
  const runs = [judged("Full", 10, 1000), judged("LoRA", 10, 10)];
  assert.equal(verdict(runs, { count: 100 }).best, 1);
  const [first] = said(runs, 100, 0.08);
  assert.match(first, /10 trainable parameters; that is not told apart from always answering/);
});

Deno.test("the interval of macro F1 is as wide as that of resampled rows", () => {
  const confusion = [[40, 5, 5], [10, 20, 10], [2, 8, 50]];
  const labels = ["a", "b", "c"];
  const rows = confusion.flatMap((row, actual) =>
    row.flatMap((count, predicted) => new Array(count).fill([actual, predicted]))
  );
  const random = new HostRandom(1, domains.sample);
  const scores = Array.from({ length: 1500 }, () => {
    const drawn = rows.map(() => rows[random.integer(rows.length)]);
    return computeMetrics(labels, drawn.map(([a]) => a), drawn.map(([, p]) => p), 0).macroF1;
  }).sort((a, b) => a - b);
  const [low, high] = macroF1Interval(confusion)!;
  assert.ok(Math.abs(low - scores[37]) < 0.012, `${low}, resampled ${scores[37]}`);
  assert.ok(Math.abs(high - scores[1462]) < 0.012, `${high}, resampled ${scores[1462]}`);
});

Deno.test("the interval of macro F1 stays within 0 and 1, and is none without rows", () => {
  assert.deepEqual(macroF1Interval([[5, 0], [0, 5]]), [1, 1]);
  assert.deepEqual(macroF1Interval([[0, 5], [5, 0]]), [0, 0]);
  assert.equal(macroF1Interval([[0, 0], [0, 0]]), undefined);
  assert.equal(macroF1Interval([]), undefined);
  const [low, high] = macroF1Interval([[3, 0, 0], [0, 1, 0], [0, 0, 0]])!;
  assert.ok(low >= 0 && high <= 1 && low <= high, `${low} to ${high}`);
});

Deno.test("the front has what none reaches with as few parameters", () => {
  const points = [[10, 0.5], [20, 0.4], [30, 0.6], [30, 0.7], [40, 0.7], [5, 0.1]]
    .map(([trainable, score]) => ({ trainable, score }));
  assert.deepEqual(
    paretoFront(points).map(({ trainable, score }) => [trainable, score]),
    [[5, 0.1], [10, 0.5], [30, 0.7]],
  );
});
