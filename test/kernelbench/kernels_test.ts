/** The table of cases covers the catalogue of kernels, on tiny shapes: nothing is timed here. */
import assert from "node:assert/strict";
import { capture } from "../../kernelbench/capture.ts";
import { matmulShare } from "../../bench/profile.ts";
import { profile } from "../../engine/profile.ts";
import { bertCases } from "../../kernelbench/cases.ts";
import { benchHalfPrecision, halfPrecisionCases } from "../../kernelbench/half_precision.ts";
import { groupLaunches, rowTitle } from "../../kernelbench/kernel_bench.ts";
import { Maker } from "../../kernelbench/maker.ts";
import { createDevice } from "../../engine/device.ts";
import { persistent } from "../../engine/tensor.ts";
import { add, relu } from "../../engine/ops/mod.ts";
import * as catalogue from "../../kernels/mod.ts";

/** `layer_norm` from `layerNorm`, as kernels are named. */
const fileOf = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

Deno.test("every kernel of the catalogue has a row, and every launch", async () => {
  const launched = new Set<string>();
  for (const kernels of [{}, { broadcastLanes: 0 }]) { // as the adapter chooses, and as a GPU
    const device = await createDevice({ kernels });
    try {
      for (const each of bertCases({ tokens: 128, hidden: 128, vocabulary: 100 })) {
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
  }
  for (const [name, kernels] of Object.entries(catalogue)) {
    if (/^(workgroup\w+|matmulSources|paddedHeadSize)$/.test(name)) continue; // not a kernel
    const wanted = typeof kernels === "function"
      ? [`${fileOf(name)}.`]
      : Object.values(kernels).map((kernel) => kernel.name);
    for (const kernel of wanted) {
      assert.ok([...launched].some((each) => each.startsWith(kernel)), `no row for ${kernel}`);
    }
  }
});

Deno.test("on matrix units, the plain products are timed, or nothing where there are none", async () => {
  const cases = bertCases({ tokens: 64, hidden: 128, vocabulary: 100 });
  const halved = halfPrecisionCases(cases).map(({ rows }) => rows.map(rowTitle));
  assert.equal(halved.length, 9);
  assert.deepEqual(
    new Set(halved.flat()),
    new Set(["matmul.NT f16", "matmul.NN f16", "matmul.TN f16"]),
  );
  const granted = await createDevice({ matmulPrecision: "f16" }).then((device) => {
    device.destroy();
    return true;
  }, () => false);
  if (granted) return; // timing them is no test's business
  const ceilings = { flopsPerSecond: 1, copies: [] };
  assert.deepEqual(await benchHalfPrecision({ cases, ceilings }), []);
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

Deno.test("a profile counts every launch, and leaves the launcher as it was", async () => {
  const device = await createDevice();
  try {
    if (!device.gpu.features.has("timestamp-query")) return;
    const x = persistent(device, [64, 64]);
    const step = () => {
      device.launcher.repeat(x, "a step", () => {
        relu(relu(x));
        add(x, x);
      });
      device.endStep();
    };
    step();
    const shares = await profile(device, step);
    assert.deepEqual(
      new Map(shares.map(({ kernel, launches }) => [kernel, launches])),
      new Map([
        ["relu.forward", 2],
        ["add.forward", 1],
      ]),
    );
    assert.ok(shares.every(({ milliseconds }) => milliseconds >= 0));
    assert.equal(
      matmulShare([...shares, { kernel: "matmul.NT", launches: 1, milliseconds: 1e9 }]).toFixed(3),
      "1.000",
    );
    const before = device.launcher.dispatches;
    relu(x);
    assert.equal(device.launcher.dispatches, before + 1);
    device.endStep();
    await device.finish();
  } finally {
    device.destroy();
  }
});
