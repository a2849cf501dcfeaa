import assert from "node:assert/strict";
import { spread, stepPlot } from "../../bench/plot.ts";
import { axisTicks, logScale } from "../../bench/scale.ts";
import { stepResult, stepRow } from "./results.ts";

Deno.test("ticks enclose the values, in steps of 1, 2 and 5, or in decades", () => {
  assert.deepEqual(axisTicks(3, 40), [2, 5, 10, 20, 50]);
  assert.deepEqual(axisTicks(0.02, 0.3), [0.02, 0.05, 0.1, 0.2, 0.5]);
  assert.deepEqual(axisTicks(3, 4000), [1, 10, 100, 1000, 10000]);
  assert.deepEqual(axisTicks(10, 10), [10, 20]);
});

Deno.test("a log scale takes equal ratios to equal lengths", () => {
  const scale = logScale([4, 64], [0, 100]);
  assert.deepEqual([4, 8, 16, 64].map((value) => Math.round(scale(value))), [0, 25, 50, 100]);
  assert.equal(logScale([5, 5], [0, 10])(5), 5);
});

Deno.test("labels that would overlap move apart and keep their order", () => {
  assert.deepEqual(spread([10, 12, 50], 16), [10, 26, 50]);
  assert.deepEqual(spread([12, 10, 11], 16), [42, 10, 26]);
});

Deno.test("the plot holds a panel for batch and one for length, with every method's points inside", () => {
  const svg = stepPlot(stepResult);
  const count = (pattern: RegExp) => [...svg.matchAll(pattern)].length;
  assert.equal(count(/<polyline/g), 2 * 3);
  assert.equal(count(/<circle/g), 2 * 3 * 3);
  assert.match(svg, />base, 32 tokens a sentence</);
  assert.match(svg, />base, batch 16</);
  const [, width, height] = /viewBox="0 0 (\d+) (\d+)"/.exec(svg) ?? [];
  for (const [, x, y] of svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
    assert.ok(Number(x) > 0 && Number(x) < Number(width), x);
    assert.ok(Number(y) > 90 && Number(y) < Number(height) - 50, y);
  }
  assert.ok(!/NaN|undefined|Infinity/.test(svg));
});

Deno.test("names are escaped, and one point alone makes no panel", () => {
  const { adapter } = stepResult;
  const svg = stepPlot({
    ...stepResult,
    adapter: { ...adapter, description: "A <B> & C" },
    results: [stepRow()],
  });
  assert.match(svg, /A &lt;B&gt; &amp; C/);
  assert.ok(!svg.includes("<polyline"));
});
