import assert from "node:assert/strict";
import fc from "fast-check";
import { computeMetrics, wilsonInterval } from "../../models/training/metrics.ts";

const close = (actual: number, expected: number) =>
  assert(Math.abs(actual - expected) < 1e-12, `${actual} is not ${expected}`);

Deno.test("metrics are scikit-learn's, absent and never predicted classes included", () => {
  // sklearn 1.9.1: precision_recall_fscore_support(actual, predicted, labels=[0..4],
  // zero_division=0), the same with average="macro", and confusion_matrix.
  const metrics = computeMetrics(
    ["a", "b", "c", "d", "e"],
    [0, 0, 0, 0, 1, 1, 1, 2, 2, 3],
    [0, 0, 1, 2, 1, 1, 0, 2, 0, 1],
    1.25,
  );
  assert.equal(metrics.count, 10);
  assert.equal(metrics.loss, 1.25);
  close(metrics.accuracy, 0.5);
  close(metrics.macroPrecision, 0.3);
  close(metrics.macroRecall, 1 / 3);
  close(metrics.macroF1, 0.3142857142857143);
  assert.deepEqual(metrics.confusion, [
    ...[[0, 0, 2], [0, 1, 1], [0, 2, 1]],
    ...[[1, 0, 1], [1, 1, 2]],
    ...[[2, 0, 1], [2, 2, 1]],
    ...[[3, 1, 1]],
  ]);
  const f1 = [0.5, 0.57142857142857142, 0.5, 0, 0];
  const recall = [0.5, 2 / 3, 0.5, 0, 0];
  const precision = [0.5, 0.5, 0.5, 0, 0];
  for (const [index, row] of metrics.perClass.entries()) {
    assert.equal(row.label, "abcde"[index]);
    assert.equal(row.support, [4, 3, 2, 1, 0][index]);
    close(row.f1, f1[index]);
    close(row.recall, recall[index]);
    close(row.precision, precision[index]);
  }
});

Deno.test("Wilson's interval", () => {
  // scipy.stats.binomtest(k, n).proportion_ci(method="wilson")
  const check = (k: number, n: number, low: number, high: number) => {
    const interval = wilsonInterval(k, n);
    close(interval[0], low);
    close(interval[1], high);
  };
  check(5, 10, 0.236593090512564, 0.7634069094874361);
  check(0, 20, 0, 0.16112515805281935);
  check(20, 20, 1 - 0.16112515805281935, 1);
  check(81, 263, 0.2552885198782742, 0.36620957698280004);
  assert.deepEqual(wilsonInterval(0, 0), [0, 1]);
});

Deno.test("a perfect prediction is 1 everywhere, and accuracy lies in its interval", () => {
  const classes = 4;
  const label = fc.integer({ min: 0, max: classes - 1 });
  const labels = ["a", "b", "c", "d"];
  fc.assert(fc.property(fc.array(fc.tuple(label, label), { minLength: 1 }), (pairs) => {
    const actual = pairs.map(([actual]) => actual);
    const metrics = computeMetrics(labels, actual, pairs.map(([, predicted]) => predicted), 0);
    const [low, high] = metrics.accuracyInterval;
    assert(low <= metrics.accuracy && metrics.accuracy <= high);
    const perfect = computeMetrics(labels, actual, actual, 0);
    assert.equal(perfect.accuracy, 1);
    close(perfect.macroF1, new Set(actual).size / classes);
  }));
});

Deno.test("lists that do not fit are errors", () => {
  assert.throws(() => computeMetrics(["a"], [0, 0], [0], 0), /2 actual labels, but 1 predicted/);
  assert.throws(() => computeMetrics(["a", "b"], [0], [2], 0), /classes 0 and 2/);
});
