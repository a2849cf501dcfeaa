/** The matmul family: every transpose, option and kind of tile, on ragged shapes. */
import assert from "node:assert/strict";
import { createDevice, Device } from "../../engine/device.ts";
import { matmul } from "../../engine/matmul.ts";
import { bytesPerValue, pack, type PackedDtype, unpack } from "../../engine/pack.ts";
import { Tensor } from "../../engine/tensor.ts";
import type { MatmulTile, Transpose } from "../../kernels/mod.ts";
import { product, type Values } from "../reference.ts";
import { assertClose, randomValues, tensorOf } from "./check.ts";

interface Options {
  bias?: boolean;
  accumulate?: boolean;
  /** Inner size of a second product. */
  second?: number;
  /** B of the first product in 16 bits; the reference takes the values that it is rounded to. */
  packB?: PackedDtype;
}

/** [rows, inner, columns] */
type Shape = readonly [number, number, number];

/** One row, edges inside a tile, several tiles, and an inner size without a pattern. */
const vectorShapes: Shape[] = [[1, 4, 20], [8, 12, 36], [68, 20, 44], [132, 36, 68]];
/** Shapes that vec4 loads cannot read: columns, inner sizes and rows that are no multiple of 4. */
const raggedShapes: Shape[] = [[1, 1, 1], [5, 7, 17], [67, 13, 13], [9, 6, 20], [66, 5, 24]];
/** Few columns: the tile that runs down the rows. */
const narrowShapes: Shape[] = [[1, 4, 4], [68, 20, 8], [132, 36, 12], [200, 12, 16]];
const transposes: Transpose[] = ["NT", "NN", "TN"];

/** The options that the operations use. */
const usual: [Transpose, Options][] = [
  ["NT", { bias: true }],
  ["NT", { bias: true, second: 8 }],
  ["NN", {}],
  ["NN", { accumulate: true }],
  ["TN", { accumulate: true }],
];

function allOptions(transpose: Transpose): Options[] {
  const options: Options[] = [{}, { bias: true }, { accumulate: true }, {
    bias: true,
    accumulate: true,
  }];
  return transpose === "NT" ? [...options, { second: 8 }, { bias: true, second: 4 }] : options;
}

function packedTensor(
  device: Device,
  shape: number[],
  values: Values,
  dtype: PackedDtype,
): Tensor {
  const storage = device.memory.acquire(values.length * bytesPerValue[dtype]);
  device.write(storage, 0, pack(Float32Array.from(values), dtype));
  return new Tensor(device, shape, storage, 0, dtype);
}

async function checkMatmul(
  device: Device,
  transpose: Transpose,
  [rows, inner, columns]: Shape,
  { bias = false, accumulate = false, second, packB }: Options = {},
): Promise<void> {
  device.beginStep(0, 0);
  const operands = (size: number, seed: number, dtype?: PackedDtype) => {
    const shapeA = transpose === "TN" ? [size, rows] : [rows, size];
    const shapeB = transpose === "NT" ? [columns, size] : [size, columns];
    const a = randomValues(rows * size, seed);
    const exact = randomValues(size * columns, seed + 1);
    const b = dtype ? [...unpack(pack(Float32Array.from(exact), dtype), dtype)] : exact;
    const tensorB = dtype ? packedTensor(device, shapeB, b, dtype) : tensorOf(device, shapeB, b);
    return {
      tensors: { a: tensorOf(device, shapeA, a), b: tensorB },
      product: product(a, b, [rows, size, columns], transpose),
    };
  };
  const first = operands(inner, 1, packB);
  const biasValues = bias ? randomValues(columns, 5) : new Array(columns).fill(0);
  const before = randomValues(rows * columns, 6);
  const other = second === undefined ? undefined : operands(second, 3);
  const expected: Values = first.product.map((value, i) =>
    value + biasValues[i % columns] + (accumulate ? before[i] : 0) +
    (other?.product[i] ?? 0)
  );
  const c = tensorOf(device, [rows, columns], before);
  matmul(transpose, first.tensors.a, first.tensors.b, c, {
    bias: bias ? tensorOf(device, [columns], biasValues) : undefined,
    accumulate,
    second: other?.tensors,
  });
  const actual = await c.read();
  device.endStep();
  assertClose(
    `${transpose} [${rows}, ${inner}, ${columns}] with ` +
      `${JSON.stringify({ bias, accumulate, second, packB })} on ` +
      JSON.stringify(device.kernels.matmul),
    actual,
    expected,
  );
}

const adapter = await createDevice();
/** subgroupBroadcast needs a subgroup of exactly this size. */
const subgroups = adapter.kernels.matmul.broadcast;
const plain = (groups: number, lanes: number, columns: number): MatmulTile => ({
  groups,
  lanes,
  columns,
  broadcast: false,
});
const broadcast = (groups: number, columns: number): MatmulTile => ({
  groups,
  lanes: 8,
  columns,
  broadcast: true,
});

/** The engine on the same GPU, with another tile. */
const withTile = (tile: MatmulTile) =>
  new Device(adapter.gpu, adapter.info, { ...adapter.kernels, matmul: tile });

for (const tile of [plain(1, 1, 1), broadcast(1, 1)]) {
  Deno.test({
    name: `matmul: every transpose and option on the ${
      tile.broadcast ? "broadcast" : "plain"
    } tile`,
    ignore: tile.broadcast && !subgroups,
    async fn() {
      const device = withTile(tile);
      for (const transpose of transposes) {
        for (const options of allOptions(transpose)) {
          for (const shape of vectorShapes) await checkMatmul(device, transpose, shape, options);
        }
      }
    },
  });
}

for (const tile of [plain(2, 1, 2), plain(1, 2, 1), plain(1, 1, 3), broadcast(2, 1)]) {
  Deno.test({
    name: `matmul: another tile, ${JSON.stringify(tile)}`,
    ignore: tile.broadcast && !subgroups,
    async fn() {
      const device = withTile(tile);
      for (const transpose of transposes) {
        await checkMatmul(device, transpose, vectorShapes[3], { accumulate: true });
      }
    },
  });
}

for (const tile of [plain(1, 2, 2), broadcast(1, 2)]) {
  Deno.test({
    name: `matmul: the ${tile.broadcast ? "broadcast" : "plain"} tile that adapters get by default`,
    ignore: tile.broadcast && !subgroups,
    async fn() {
      const device = withTile(tile);
      for (const [transpose, options] of usual) {
        await checkMatmul(device, transpose, [132, 36, 68], options);
        await checkMatmul(device, transpose, [4, 8, 20], options);
      }
    },
  });
}

/** [rows, inner, columns] of which A, B, both or neither can be copied into a texture. */
const textureShapes: Shape[] = [[64, 64, 64], [68, 64, 20], [20, 68, 64], [128, 36, 192]];

for (const tile of [plain(1, 1, 1), broadcast(1, 1)]) {
  Deno.test({
    name: `matmul: operands in textures, on the ${tile.broadcast ? "broadcast" : "plain"} tile`,
    ignore: tile.broadcast && !subgroups,
    async fn() {
      const kernels = { ...adapter.kernels, matmul: tile, matmulTextures: true };
      const device = new Device(adapter.gpu, adapter.info, kernels);
      for (const [transpose, options] of usual) {
        for (const shape of textureShapes) await checkMatmul(device, transpose, shape, options);
      }
      // The same sizes once more: the textures are used again, with other content.
      await checkMatmul(device, "NN", textureShapes[0]);
      await checkMatmul(device, "TN", textureShapes[0], { accumulate: true });
    },
  });
}

/** [rows, inner, columns] of which B, packed, fits a texture in NT, in NN, in both or in neither. */
const packedShapes: Shape[] = [[20, 128, 36], [68, 36, 128], [36, 128, 256], [9, 20, 12]];

for (const tile of [plain(1, 1, 1), broadcast(1, 1)]) {
  Deno.test({
    name: `matmul: a packed B, on the ${tile.broadcast ? "broadcast" : "plain"} tile`,
    ignore: tile.broadcast && !subgroups,
    async fn() {
      for (const matmulTextures of [false, true]) {
        const kernels = { ...adapter.kernels, matmul: tile, matmulTextures };
        const device = new Device(adapter.gpu, adapter.info, kernels);
        for (const packB of ["bf16", "f16"] as const) {
          for (const shape of packedShapes) {
            await checkMatmul(device, "NT", shape, { packB, bias: true });
            await checkMatmul(device, "NN", shape, { packB, accumulate: true });
          }
        }
      }
    },
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
  const packed = (...shape: number[]) =>
    packedTensor(adapter, shape, new Array(shape[0] * shape[1]).fill(0), "bf16");
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
  const trainable = packed(8, 8);
  trainable.requiresGrad = true;
  assert.throws(
    () => matmul("NT", plainZeros(8, 8), trainable, plainZeros(8, 8)),
    /wants a gradient; packed values are frozen/,
  );
  adapter.endStep();
});

Deno.test("matmul: few columns", async () => {
  for (const transpose of transposes) {
    for (const options of allOptions(transpose)) {
      for (const shape of narrowShapes) await checkMatmul(adapter, transpose, shape, options);
    }
  }
});

Deno.test("matmul: shapes that no tile fits", async () => {
  for (const transpose of transposes) {
    for (const shape of raggedShapes) {
      for (const options of allOptions(transpose)) {
        await checkMatmul(adapter, transpose, shape, options);
      }
    }
  }
});

Deno.test("matmul: a second product whose inner size is no multiple of 4, or transposed", async () => {
  const device = withTile(plain(1, 1, 1));
  for (const transpose of transposes) {
    await checkMatmul(device, transpose, [12, 8, 20], { second: 3, bias: true });
    await checkMatmul(device, transpose, [12, 8, 20], { second: 8 });
  }
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
