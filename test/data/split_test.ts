import assert from "node:assert/strict";
import fc from "fast-check";
import { proportionalCounts, stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";

function dataOf(counts: number[]) {
  const examples = counts.flatMap((count, label) =>
    Array.from({ length: count }, (_, row) => ({ text: `${label}/${row}`, label }))
  );
  return { labels: counts.map((_, label) => `class ${label}`), examples };
}

const sizes = (split: { train: unknown[]; validation: unknown[]; test: unknown[] }) => [
  split.train.length,
  split.validation.length,
  split.test.length,
];

Deno.test("80/10/10 by class, the same for the same seed only", () => {
  const data = dataOf([100, 50, 3]);
  const split = stratifiedSplit(data, { seed: 42 });
  assert.deepEqual(sizes(split), [80 + 40 + 1, 10 + 5 + 1, 10 + 5 + 1]);
  assert.deepEqual(stratifiedSplit(data, { seed: 42 }), split);
  assert.notDeepEqual(stratifiedSplit(data, { seed: 43 }), split);
  // Parts are in the data's order; the trainer shuffles.
  const order = split.train.map((example) => data.examples.indexOf(example));
  assert.deepEqual(order, order.toSorted((a, b) => a - b));
});

Deno.test("the parts hold every row once and every class everywhere", () => {
  const counts = fc.array(fc.integer({ min: 3, max: 40 }), { minLength: 2, maxLength: 6 });
  fc.assert(fc.property(counts, fc.nat(), (counts, seed) => {
    const data = dataOf(counts);
    const { train, validation, test } = stratifiedSplit(data, { seed });
    const texts = [...train, ...validation, ...test].map(({ text }) => text);
    assert.deepEqual(texts.sort(), data.examples.map(({ text }) => text).sort());
    for (const part of [train, validation, test]) {
      assert.equal(new Set(part.map(({ label }) => label)).size, counts.length);
    }
  }));
});

Deno.test("max_samples keeps the proportions, three rows a class at least", () => {
  assert.deepEqual(proportionalCounts([600, 300, 100], 100), [60, 30, 10]);
  assert.deepEqual(proportionalCounts([900, 90, 10], 50), [43, 4, 3]);
  assert.deepEqual(proportionalCounts([50, 50, 50], 10), [4, 3, 3]);
  fc.assert(fc.property(
    fc.array(fc.integer({ min: 3, max: 500 }), { minLength: 1, maxLength: 8 }),
    fc.double({ min: 0, max: 1, noNaN: true }),
    (counts, fraction) => {
      const all = counts.reduce((sum, count) => sum + count);
      const least = 3 * counts.length;
      const total = least + Math.floor(fraction * (all - least));
      const kept = proportionalCounts(counts, total);
      assert.equal(kept.reduce((sum, count) => sum + count), total);
      kept.forEach((count, label) => assert(count >= 3 && count <= counts[label]));
    },
  ));
  const data = dataOf([600, 300, 100]);
  const split = stratifiedSplit(data, { seed: 1, maxSamples: 100 });
  assert.deepEqual(sizes(split), [80, 10, 10]);
  assert.equal(split.train.filter(({ label }) => label === 0).length, 48);
  assert.notDeepEqual(stratifiedSplit(data, { seed: 2, maxSamples: 100 }), split);
  assert.deepEqual(
    stratifiedSplit(data, { seed: 1, maxSamples: 5000 }),
    stratifiedSplit(data, { seed: 1 }),
  );
});

Deno.test("classes that are too small, and too few samples, are errors that say so", () => {
  assert.throws(
    () => stratifiedSplit(dataOf([10, 2, 1]), { seed: 1 }),
    (error: unknown) =>
      error instanceof UserError &&
      /Too few: "class 1" \(2 rows\), "class 2" \(1 row\)\./.test(error.message),
  );
  assert.throws(
    () => stratifiedSplit(dataOf([10, 10]), { seed: 1, maxSamples: 5 }),
    (error: unknown) =>
      error instanceof UserError && error.exitCode === 2 &&
      /sample of 5 rows is too small for 2 classes/.test(error.message) &&
      error.remedy?.kind === "moreSamples" && error.remedy.least === 6,
  );
});
