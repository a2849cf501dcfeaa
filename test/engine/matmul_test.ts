/** The matmul family: every transpose, option and kind of tile, on ragged shapes. */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { matmul } from "../../engine/matmul.ts";
import type { PackedDtype } from "../../engine/pack.ts";
import { zeros } from "../../engine/tensor.ts";
import { type Shape } from "../../gradcheck/product_case.ts";
import { packedTensor, randomValues, tensorOf } from "./check.ts";
import {
  adapter,
  allOptions,
  broadcast,
  checkMatmul,
  checkStack,
  cooperative,
  gpuPlan,
  narrowShapes,
  plain,
  raggedShapes,
  splitShapes,
  testPlan,
  transposes,
  usual,
  vectorShapes,
  withPlan,
  workgroup,
} from "./products.ts";

const smallPlans = [
  plain(1, 1, 1),
  broadcast(1, 1),
  workgroup(1, 1, 8, [4, 4]),
  workgroup(1, 1, 8, [4, 4], { prefetch: true }),
  cooperative(),
];

for (const plan of smallPlans) {
  testPlan("every transpose and option", plan, async (device) => {
    for (const transpose of transposes) {
      for (const options of allOptions(transpose)) {
        for (const shape of vectorShapes) await checkMatmul(device, transpose, shape, options);
      }
    }
  });
  testPlan("epilogues", plan, async (device) => {
    for (const shape of vectorShapes) {
      await checkMatmul(device, "NT", shape, { bias: true, gelu: true });
      await checkMatmul(device, "NT", shape, { bias: true, residual: true });
      const all = { bias: true, gelu: true, dropout: 0.2, residual: true, second: 8 };
      await checkMatmul(device, "NT", shape, all);
      await checkMatmul(device, "NN", shape, { residual: true });
    }
  });
  testPlan("stacks of three", plan, async (device) => {
    for (const shape of [[68, 20, 44], [132, 36, 68]] as const) {
      await checkStack(device, "NT", shape, { bias: true });
      await checkStack(device, "NT", shape, { bias: true, layers: [0, 2] });
      await checkStack(device, "NT", shape, { layers: [1] });
      await checkStack(device, "NN", shape);
      await checkStack(device, "NN", shape, { accumulate: true });
      await checkStack(device, "TN", shape, { accumulate: true });
    }
  });
}

const otherPlans = [
  plain(2, 1, 2),
  plain(1, 2, 1),
  plain(1, 1, 3),
  broadcast(2, 1),
  broadcast(1, 1, 4), // fewer rows handed round than the subgroup has invocations
  workgroup(2, 1, 16, [4, 2]),
  workgroup(1, 2, 4, [2, 8]),
  workgroup(2, 2, 12, [2, 4], { prefetch: true }),
  cooperative(1, 1),
  cooperative(2, 2, 2),
  // Subgroups are smaller than the plan says: there are more of them.
  {
    ...cooperative(1, 1, 2),
    lanes: 2 * cooperative().lanes,
    workgroup: [2 * cooperative().lanes, 2],
  },
] as const;

for (const plan of otherPlans) {
  testPlan(`another tile, ${JSON.stringify(plan)}`, plan, async (device) => {
    for (const transpose of transposes) {
      await checkMatmul(device, transpose, vectorShapes[3], { accumulate: true });
    }
  });
}

for (const plan of [plain(1, 2, 2), broadcast(1, 2), gpuPlan]) {
  testPlan("the tile that adapters get by default", plan, async (device) => {
    for (const [transpose, options] of usual) {
      await checkMatmul(device, transpose, [132, 36, 68], options);
      await checkMatmul(device, transpose, [4, 8, 20], options);
    }
  });
}

for (const broadcastLanes of [0, 8]) {
  const how = broadcastLanes === 0 ? "shared by a workgroup (not TN)" : "in one invocation";
  Deno.test(`matmul: few columns and a long sum ${how}`, async () => {
    const device = new Device(adapter.gpu, adapter.info, {
      ...adapter.kernels,
      matmul: smallPlans[0],
      broadcastLanes,
    });
    for (const transpose of transposes) {
      for (const shape of splitShapes) {
        for (const options of [{}, { bias: true }, { accumulate: true }]) {
          await checkMatmul(device, transpose, shape, options);
        }
      }
    }
  });
}

/** [rows, inner, columns] of which A, B, both or neither can be copied into a texture. */
const textureShapes: Shape[] = [[64, 64, 64], [68, 64, 20], [20, 68, 64], [128, 36, 192]];

for (const plan of [plain(1, 1, 1), broadcast(1, 1)]) {
  testPlan("operands in textures", { ...plan, textures: true }, async (device) => {
    for (const [transpose, options] of usual) {
      for (const shape of textureShapes) await checkMatmul(device, transpose, shape, options);
    }
    // The same sizes once more: the textures are used again, with other content.
    await checkMatmul(device, "NN", textureShapes[0]);
    await checkMatmul(device, "TN", textureShapes[0], { accumulate: true });
    for (const transpose of transposes) await checkStack(device, transpose, textureShapes[0]);
  });
}

Deno.test("matmul: products of many sizes take the textures of the largest", async () => {
  const device = withPlan({ ...plain(1, 1, 1), textures: true });
  const multiply = (rows: number) => {
    device.beginStep(0, 0);
    const [a, b] = [[rows, 64], [64, 64]].map((shape) => zeros(device, shape));
    device.launcher.repeat(device, `${rows}`, () => matmul("NN", a, b, zeros(device, [rows, 64])));
    device.endStep();
    device.memory.trim(); // of the arena only
    device.launcher.forget();
    return device.memory.heldBytes;
  };
  const sizes = Array.from({ length: 32 }, (_, i) => 16 * (i + 1));
  const small = multiply(sizes[0]);
  const large = multiply(sizes.at(-1)!);
  assert.ok(large > small);
  for (const rows of sizes) assert.equal(multiply(rows), large);
  await checkMatmul(device, "NT", [512, 64, 64], { bias: true });
  await checkMatmul(device, "NT", [48, 64, 64], { bias: true }); // a part of the texture
  await device.finish();
  device.trim();
  assert.equal(device.memory.heldBytes, 0);
  await device.finish();
});

/** [rows, inner, columns] of which B, packed, fits a texture in NT, in NN, in both or in neither. */
const packedShapes: Shape[] = [[20, 128, 36], [68, 36, 128], [36, 128, 256], [9, 20, 12]];
const inTextures = [plain(1, 1, 1), broadcast(1, 1)].map((plan) => ({ ...plan, textures: true }));

for (const plan of [...smallPlans, ...inTextures]) {
  testPlan("a packed B", plan, async (device) => {
    for (const packB of ["bf16", "f16"] as const) {
      for (const shape of packedShapes) {
        await checkMatmul(device, "NT", shape, { packB, bias: true });
        await checkMatmul(device, "NN", shape, { packB, accumulate: true });
      }
    }
  });
}

Deno.test("matmul: a packed tensor is read back as the values that it holds", async () => {
  const values = [0.5, -3, 1.25, 65504];
  const tensor = packedTensor(adapter, [1, 4], values, "f16");
  assert.equal(tensor.binding.size, 16); // the smallest that a kernel may bind
  assert.deepEqual([...await tensor.read()], values);
  assert.equal(packedTensor(adapter, [4, 8], randomValues(32, 1), "bf16").binding.size, 64);
  adapter.endStep();
});

Deno.test("matmul: packed operands that no kernel reads are refused", () => {
  const packedAs = (dtype: PackedDtype, ...shape: number[]) =>
    packedTensor(adapter, shape, new Array(shape[0] * shape[1]).fill(0), dtype);
  const packed = (...shape: number[]) => packedAs("bf16", ...shape);
  const half = (...shape: number[]) => packedAs("f16", ...shape);
  const plainZeros = (...shape: number[]) =>
    tensorOf(adapter, shape, new Array(shape[0] * shape[1]).fill(0));
  adapter.beginStep(0, 0);
  assert.throws(
    () => matmul("NN", packed(8, 8), plainZeros(8, 8), plainZeros(8, 8)),
    /\(NN\): \[8, 8\] is bf16; only B may be packed/,
  );
  assert.throws(
    () => matmul("TN", plainZeros(8, 8), packed(8, 8), plainZeros(8, 8)),
    /\(TN\): B \[8, 8\] is bf16; only NT and NN/,
  );
  assert.throws(
    () => matmul("NT", plainZeros(8, 8), packed(6, 8), plainZeros(8, 6)),
    /B \[6, 8\] is bf16; .* multiples of 4/,
  );
  assert.throws(
    () => matmul("NN", half(5, 7), plainZeros(7, 8), plainZeros(5, 8)),
    /A \[5, 7\] is f16; .* multiples of 4/,
  );
  assert.throws(
    () => matmul("TN", half(8, 8), half(8, 8), half(8, 8)),
    /\(TN\): \[8, 8\] is f16; only A, B and, but for TN's, C/,
  );
  assert.throws(
    () => matmul("NT", half(8, 8), half(8, 8), half(8, 8), { bias: half(1, 8) }),
    /\[1, 8\] is f16; only A, B/,
  );
  const residual = plainZeros(8, 8);
  assert.throws(
    () => matmul("NT", half(8, 8), half(8, 8), half(8, 8), { epilogue: { residual } }),
    /\[8, 8\] is f32, and C f16/,
  );
  const trainable = packed(8, 8);
  trainable.requiresGrad = true;
  assert.throws(
    () => matmul("NT", plainZeros(8, 8), trainable, plainZeros(8, 8)),
    /wants a gradient; packed values are frozen/,
  );
  adapter.endStep();
});

for (
  const [whose, device] of [["this adapter's", adapter], ["a GPU's", withPlan(gpuPlan)]] as const
) {
  Deno.test(`matmul: few columns, ${whose} plan`, async () => {
    for (const transpose of transposes) {
      for (const options of allOptions(transpose)) {
        for (const shape of narrowShapes) await checkMatmul(device, transpose, shape, options);
      }
    }
  });
}

Deno.test("matmul: shapes that no tile fits", async () => {
  for (const transpose of transposes) {
    for (const shape of raggedShapes) {
      for (const options of allOptions(transpose)) {
        await checkMatmul(adapter, transpose, shape, options);
      }
    }
  }
});

Deno.test("matmul: a second product whose inner size is no multiple of 4", async () => {
  const device = withPlan(plain(1, 1, 1));
  await checkMatmul(device, "NT", [12, 8, 20], { second: 3, bias: true });
  await checkMatmul(device, "NT", [12, 8, 20], { second: 7 });
  const options = { second: { u: zeros(device, [12, 4]), b: zeros(device, [20, 4]) } };
  const [a, b, c] = [[12, 8], [8, 20], [12, 20]].map((shape) => zeros(device, shape));
  assert.throws(() => matmul("NN", a, b, c, options), /\(NN\): only NT has a second product/);
});

Deno.test("matmul: stacks of shapes that no tile fits", async () => {
  for (const transpose of transposes) {
    for (const shape of raggedShapes.slice(1)) {
      await checkStack(adapter, transpose, shape, { bias: transpose === "NT" });
      await checkStack(adapter, transpose, shape, { accumulate: true });
    }
  }
  await checkStack(adapter, "NT", [9, 6, 20], { bias: true, layers: [0, 2] });
});

Deno.test("matmul: shapes that do not fit are refused with both shapes", () => {
  const zeros = (...shape: number[]) =>
    tensorOf(adapter, shape, new Array(shape[0] * shape[1]).fill(0));
  adapter.beginStep(0, 0);
  assert.throws(
    () => matmul("NT", zeros(8, 128), zeros(64, 12), zeros(8, 64)),
    /\(NT\) \[8, 128\] by \[64, 12\]: inner sizes 128 and 12 differ/,
  );
  assert.throws(
    () => matmul("NN", zeros(8, 12), zeros(12, 20), zeros(8, 24)),
    /The product has shape \[8, 20\], not \[8, 24\]/,
  );
  assert.throws(
    () => matmul("NN", zeros(8, 12), zeros(12, 20), zeros(8, 20), { bias: zeros(1, 8) }),
    /A bias of 8 values does not fit 20 columns/,
  );
  adapter.endStep();
});
