import assert from "node:assert/strict";
import { comparison } from "../../bench/compare.ts";
import { slug } from "../../bench/environment.ts";
import { formatTime } from "../../kernelbench/format.ts";
import { kernelTable } from "../../bench/kernel_table.ts";
import { peerTable } from "../../bench/peers/table.ts";
import { parseResult } from "../../bench/schema.ts";
import { parseShapes } from "../../kernelbench/shapes.ts";
import { sentenceLengths } from "../../bench/step_bench.ts";
import { pointsOf, stepTable } from "../../bench/step_table.ts";
import { kernelResult, peerResult, stepResult, torchResult } from "./results.ts";

Deno.test("tables fit 80 columns, and 100 with more columns", () => {
  for (const width of [80, 90, 100]) {
    const tables = [
      kernelTable(kernelResult.results, width),
      stepTable(stepResult.results, width),
      peerTable(peerResult.results),
    ];
    for (const line of tables.flat()) assert.ok(line.length <= width, `${width}: ${line}`);
  }
  assert.ok(!kernelTable(kernelResult.results, 80).join().includes("█"));
  assert.ok(kernelTable(kernelResult.results, 100).join().includes("████······"));
});

Deno.test("times have three digits and their unit", () => {
  const cases: [number, string][] = [
    [1.234, "1.23 s"],
    [0.99999, "1.00 s"],
    [0.0123, "12.3 ms"],
    [0.456, "456 ms"],
    [3.4e-5, "34.0 µs"],
    [1e-8, "0.01 µs"],
  ];
  for (const [seconds, text] of cases) assert.equal(formatTime(seconds), text);
});

Deno.test("a comparison holds the rows that both results have", () => {
  const lines = comparison(torchResult, stepResult, 100);
  assert.equal(lines.length, 4); // titles in two lines, rule, one row
  assert.match(lines[3], /^base lora +16 × emotion +60\.0 ms +12\.0 ms +5\.00$/);
  assert.throws(() => comparison(kernelResult, stepResult, 100), /no row in common/);
});

Deno.test("the peers' ratios are ours over theirs; a missing library is a dash", () => {
  const [product, softmax] = peerTable(peerResult.results).slice(-2);
  assert.match(product, /20\.0 +4\.00 +5\.00 +5\.0 +4\.0$/);
  assert.match(softmax, /1\.00 +0\.50 +- +2\.0 +-$/);
});

Deno.test("results are read back as they are written, and what is none is refused", () => {
  for (const result of [kernelResult, stepResult, torchResult, peerResult]) {
    assert.deepEqual(parseResult(JSON.parse(JSON.stringify(result)), "x.json"), result);
  }
  const broken = { ...peerResult, results: [{ ...peerResult.results[0], ours: "fast" }] };
  assert.throws(() => parseResult(broken, "x.json"), /x\.json: results\.0\.ours/);
  assert.throws(() => parseResult({ kind: "other" }, "x.json"), /x\.json/);
});

Deno.test("shapes are names, sizes of BERT, or products", () => {
  assert.deepEqual(parseShapes("mini, 64x128,4x5x6").map(({ kind }) => kind), [
    "bert",
    "bert",
    "product",
  ]);
  for (const text of ["huge", "64x100", "0x64", "1x2x3x4", ""]) {
    assert.throws(() => parseShapes(text), /is none of base|is none of mini/, text);
  }
});

Deno.test("a software adapter times one point of bert-base unless more is asked for", () => {
  assert.equal(pointsOf({ grid: false, models: ["base"] }, true).length, 3);
  assert.equal(pointsOf({ grid: false, models: ["base"] }, false).length, 3 * 11);
  assert.equal(pointsOf({ grid: false, models: ["base"], batches: [4, 8] }, true).length, 3 * 2);
  assert.equal(pointsOf({ grid: true, models: ["mini"], methods: ["full"] }, true).length, 5 * 7);
});

Deno.test("emotion sentences have 15 to 25 tokens", () => {
  const lengths = sentenceLengths(22, "emotion");
  assert.deepEqual([...new Set(lengths)].sort(), Array.from({ length: 11 }, (_, i) => 15 + i));
  assert.deepEqual(sentenceLengths(2, 8), [8, 8]);
});

Deno.test("an adapter's name becomes a file name", () => {
  assert.equal(slug("llvmpipe (LLVM 15.0.6, 256 bits)"), "llvmpipe-llvm-15-0-6-256-bits");
  assert.equal(slug("(/)"), "unknown");
});
