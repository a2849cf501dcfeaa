/** What the model makes of more ranks, and how launches come together in one document. */
import assert from "node:assert/strict";
import { merged } from "../../bench/mpi/kept.ts";
import {
  reductionSeconds,
  stepSeconds,
  strongSpeedup,
  type Terms,
  weakSpeedup,
} from "../../bench/mpi/model.ts";
import { stepFlops, summedBytes } from "../../bench/mpi/predict.ts";
import { parseResult } from "../../bench/schema.ts";
import { mpiResult } from "./results.ts";

const network = { name: "", latency: 1e-3, bytesPerSecond: 1e6 };

Deno.test("a sum over ranks is a ring where bytes count, and doubling where messages do", () => {
  assert.equal(reductionSeconds(2, 0, network), 1e-3);
  assert.equal(reductionSeconds(64, 0, network), 6e-3, "6 rounds, not 126 messages");
  const large = reductionSeconds(4, 1e9, network);
  assert.ok(Math.abs(large - (6 * 1e-3 + 1.5 * 1000)) < 1e-9, `${large}`);
  assert.ok(reductionSeconds(64, 1e9, network) < 2 * 1000 + 1, "a ring's bytes do not grow");
});

Deno.test("a step of ranks is computing, the host's copies and the sum", () => {
  const terms: Terms = {
    stepSeconds: 8,
    bytes: 1e6,
    waitSeconds: 0.25,
    copyBytesPerSecond: 4e6,
    network: { name: "", latency: 0, bytesPerSecond: 1e6 },
  };
  assert.equal(stepSeconds(1, 1, terms), 8, "one rank sums nothing");
  assert.equal(stepSeconds(2, 1, terms), 8 + 0.25 + 0.25 + 1);
  assert.equal(weakSpeedup(2, terms), 16 / 9.5);
  assert.equal(strongSpeedup(2, terms), 8 / 5.5);
  const free = { ...terms, waitSeconds: 0, bytes: 0 };
  assert.equal(weakSpeedup(64, free), 64);
  assert.equal(strongSpeedup(64, free), 64);
});

Deno.test("what a method sums and computes is bert-base's", () => {
  assert.equal(summedBytes("full"), 4 * (109_482_240 + 13 * 769));
  assert.ok(summedBytes("lora") < summedBytes("full") / 300);
  assert.equal(stepFlops("full", { batch: 1, length: 1 }), 6 * 12 * 12 * 768 ** 2);
  assert.equal(stepFlops("full") / stepFlops("lora"), 1.5);
});

Deno.test("a launch takes the place of an earlier one of as many ranks there", () => {
  const [step] = mpiResult.steps;
  const [row] = mpiResult.reductions;
  const again = { ...mpiResult, reductions: [{ ...row, bytes: 8 }], steps: [] };
  assert.deepEqual(merged(mpiResult, again).reductions, [{ ...row, bytes: 8 }]);
  assert.deepEqual(merged(mpiResult, again).steps, [], "no row of the earlier launch is left");
  const four = { ...mpiResult, reductions: [], steps: [{ ...step, ranks: 4 }] };
  const both = merged(four, mpiResult);
  assert.deepEqual(both.steps, [step, { ...step, ranks: 4 }]);
  assert.deepEqual(both.reductions, [row]);
  assert.deepEqual(parseResult(JSON.parse(JSON.stringify(both)), "x"), both);
});
