/** The table of cases covers the catalogue of kernels, on tiny shapes: nothing is timed here. */
import assert from "node:assert/strict";
import { capture } from "../../bench/capture.ts";
import { bertCases } from "../../bench/cases.ts";
import { groupLaunches, rowTitle } from "../../bench/kernel_bench.ts";
import { Maker } from "../../bench/maker.ts";
import { createDevice } from "../../engine/device.ts";
import { persistent } from "../../engine/tensor.ts";
import { relu } from "../../engine/ops/mod.ts";
import * as catalogue from "../../kernels/mod.ts";

/** `layer_norm` from `layerNorm`, as kernels are named. */
const fileOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

Deno.test("every kernel of the catalogue has a row, and every launch", async () => {
  const device = await createDevice();
  const launched = new Set<string>();
  try {
    for (const each of bertCases({ tokens: 64, hidden: 128, vocabulary: 100 })) {
      const make = new Maker(device);
      device.beginStep(0, 0);
      const { groups, unknown } = groupLaunches(
        each.rows,
        capture(device, () => each.run(make)),
      );
      assert.deepEqual(unknown, [], `launches without a row beside ${rowTitle(each.rows[0])}`);
      for (const { row, launches } of groups) {
        assert.ok(launches.length > 0, `nothing launches ${rowTitle(row)}`);
        assert.ok(row.flops >= 0 && row.bytes > 0, rowTitle(row));
        launched.add(row.kernel);
        launches[0].again();
      }
      make.destroy();
    }
    await device.finish();
  } finally {
    device.destroy();
  }
  for (const [name, kernels] of Object.entries(catalogue)) {
    if (/^(workgroup\w+|matmulSources)$/.test(name)) continue; // not a kernel
    const wanted = typeof kernels === "function"
      ? [`${fileOf(name)}.`]
      : Object.values(kernels).map((kernel) => kernel.name);
    for (const kernel of wanted) {
      assert.ok([...launched].some((each) => each.startsWith(kernel)), `no row for ${kernel}`);
    }
  }
});

Deno.test("a captured launch can be run again, and the launcher is left as it was", async () => {
  const device = await createDevice();
  try {
    const x = persistent(device, [4], Float32Array.of(-1, 2, -3, 4));
    const launches = capture(device, () => void relu(x));
    assert.deepEqual(launches.map(({ kernel }) => kernel), ["relu.forward"]);
    const before = device.launcher.dispatches;
    launches[0].again();
    launches[0].again();
    assert.equal(device.launcher.dispatches, before + 2);
    assert.deepEqual([...await relu(x).read()], [0, 2, 0, 4]);
    device.endStep();
  } finally {
    device.destroy();
  }
});
