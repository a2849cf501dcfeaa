import assert from "node:assert/strict";
import { bandwidthFor, type Ceilings, standing } from "../../kernelbench/roofline.ts";
import { median } from "../../engine/timing.ts";

const ceilings: Ceilings = {
  flopsPerSecond: 100e9,
  copies: [{ bytes: 1e6, bytesPerSecond: 40e9 }, { bytes: 1e8, bytesPerSecond: 10e9 }],
};

Deno.test("a kernel with much arithmetic is measured against the multiply-adds", () => {
  const product = standing(ceilings, { flops: 2e9, bytes: 1e7 }, 0.04);
  assert.deepEqual(product, { gflops: 50, gbps: 0.25, percent: 50, limit: "arithmetic" });
});

Deno.test("a kernel with little arithmetic is measured against the copy of its size", () => {
  const small = standing(ceilings, { flops: 1e5, bytes: 1e6 }, 1e-4);
  assert.equal(small.limit, "memory");
  assert.ok(Math.abs(small.percent - 25) < 1e-9);
  const large = standing(ceilings, { flops: 1e5, bytes: 1e8 }, 0.01);
  assert.ok(Math.abs(large.percent - 100) < 1e-9);
});

Deno.test("the bandwidth is that of the smallest copy which is large enough, else of the largest", () => {
  assert.equal(bandwidthFor(ceilings, 10), 40e9);
  assert.equal(bandwidthFor(ceilings, 1e6), 40e9);
  assert.equal(bandwidthFor(ceilings, 1e6 + 1), 10e9);
  assert.equal(bandwidthFor(ceilings, 1e12), 10e9);
  assert.throws(() => bandwidthFor({ flopsPerSecond: 1, copies: [] }, 1), /no copy/);
});

Deno.test("the median is the middle value, or the mean of the two in the middle", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 3, 2]), 2.5);
  assert.throws(() => median([]), /median/);
});
