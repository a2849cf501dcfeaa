import assert from "node:assert/strict";
import { stepPlot } from "../../bench/plot.ts";
import { stepResult, stepRow } from "./results.ts";

Deno.test("the plot holds a panel for batch and one for length, with every method's points inside", () => {
  const svg = stepPlot(stepResult);
  const count = (pattern: RegExp) => [...svg.matchAll(pattern)].length;
  assert.equal(count(/role="img"/g), 2);
  assert.equal(count(/<path [^>]*stroke-?/gi), 2 * 3);
  assert.equal(count(/<circle/g), 2 * 3 * 3);
  assert.match(svg, />base, 32 tokens a sentence</);
  assert.match(svg, />base, batch 16</);
  for (const [, x, y] of svg.matchAll(/cx="([\d.]+)" cy="([\d.]+)"/g)) {
    assert.ok(Number(x) > 70 && Number(x) < 500, x);
    assert.ok(Number(y) > 56 && Number(y) < 360 - 52, y);
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
  assert.ok(!svg.includes("<path"));
});
