/** What the page measures, and that the benchmarks' commands read it. */
import assert from "node:assert/strict";
import { comparison } from "../../bench/compare.ts";
import { resultsIn } from "../../bench/schema.ts";
import { createDevice } from "../../engine/device.ts";
import type { KernelTimes } from "../../kernelbench/kernel_bench.ts";
import { timeKernels } from "../../web/lab/kernel_times.ts";
import { measuredDocument } from "../../web/lab/measured.ts";

const machine = { processor: "", cores: 2, os: "Linux x86_64", runtime: "Chromium 156" };
const created = new Date("2026-11-26T05:00:00Z");

Deno.test("the page times the command line's kernels, and stops where it is asked to", async () => {
  const device = await createDevice({ features: ["timestamp-query"] });
  try {
    const rows: string[] = [];
    const kernels = await timeKernels(device, {
      shapes: "mini",
      filter: "elu.", // gelu and relu, forward and backward
      report(row, of) {
        assert.ok(of > 50, `${of}`);
        rows.push(row.kernel);
      },
      stopRequested: () => rows.length === 3,
    });
    assert.deepEqual(rows, ["gelu.forward", "gelu.backward", "relu.forward"]);
    assert.deepEqual(kernels.results.map(({ kernel }) => kernel), rows);
    assert.ok(kernels.ceilings.copies.length === 1, "no copy larger than these kernels need");
    const found = { checks: [], steps: [], kernels };
    const document = measuredDocument(device, machine, found, created);
    const [result, ...more] = resultsIn(JSON.parse(JSON.stringify(document)), "measured.json");
    assert.deepEqual(more, []);
    assert.equal(result.kind, "kernels");
    assert.match(comparison(result, result, 80).join("\n"), /gelu\.backward +384×512 .* 1\.00/);
  } finally {
    device.destroy();
  }
});

Deno.test("what was not measured is not in the document", async () => {
  const device = await createDevice();
  try {
    const empty = measuredDocument(device, machine, { checks: [], steps: [] }, created);
    assert.deepEqual(Object.keys(empty), [
      ...["kind", "version", "created", "machine", "adapter", "choice"],
    ]);
    assert.deepEqual(resultsIn(empty, "measured.json"), []);
    const checks = [{
      operation: "gelu",
      cases: 1,
      forward: 1e-7,
      gradient: 1e-7,
      repeats: true,
      status: "ok" as const,
    }];
    const kernels: KernelTimes = {
      timing: "wall clock",
      ceilings: { flopsPerSecond: 1, copies: [] },
      results: [],
    };
    const all = measuredDocument(device, machine, { checks, steps: [], kernels }, created);
    assert.deepEqual(all.gradcheck?.rows, checks);
    assert.equal(all.kernels?.created, "2026-11-26T05:00Z");
  } finally {
    device.destroy();
  }
});
