/** Kernels' texts that read matrices from textures, and that the launcher copies what they declare. */
import assert from "node:assert/strict";
import { fitsTexture } from "../../engine/staging.ts";
import { empty, Tensor, upload } from "../../engine/tensor.ts";
import { kernel } from "../../kernels/kernel.ts";
import { fromTextures } from "../../kernels/texture.ts";
import { randomValues } from "./check.ts";
import { device, step } from "./step.ts";

const source = `
struct Params {
  width: u32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read> packed: array<vec2u>;
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) id: vec3u) {
  let width = params.width;
  let row = id.y;
  let at = id.x;
  y[row * width + at] = x[row * width + at] + vec4f(vec4u(packed[row * width + at], 0, 0));
}`;

Deno.test("a text's matrices become textures; its interface says so", () => {
  const text = fromTextures(source, ["x", "packed"]);
  assert.ok(text.includes("@binding(1) var x: texture_2d<f32>;"));
  assert.ok(text.includes("textureLoad(x, vec2u(at, row), 0)"));
  assert.ok(text.includes("textureLoad(packed, vec2u(at, row), 0).xy"));
  assert.ok(text.includes("y[row * width + at] ="));
  const { textures, bindings } = kernel("sum", text, "main");
  assert.deepEqual([...textures!], [["x", "f32"], ["packed", "u32"]]);
  assert.deepEqual([...bindings.keys()], ["params", "x", "packed", "y"]);
  assert.equal(kernel("sum", source, "main").textures!.size, 0);
  assert.throws(() => fromTextures(source, ["y"]), /reads no matrix "y"/);
  const other = source.replace("x[row * width + at]", "x[row * width + 2 * at]");
  assert.throws(
    () => fromTextures(other, ["x"]),
    /x\[row \* width \+ 2 \* at\]: a texture is read/,
  );
});

Deno.test("the launcher copies what a kernel reads from textures, each launch anew", () =>
  step(async () => {
    const [rows, columns] = [3, 128];
    const y = empty(device, [rows, columns]);
    const sum = kernel("sum", fromTextures(source, ["x", "packed"]), "main");
    const words = Uint32Array.from({ length: rows * columns / 2 }, (_, i) => i % 5);
    const { storage: held } = upload(device, [words.length], words);
    const packed = new Tensor(device, [rows, columns], held, 0, "bf16");
    assert.ok(fitsTexture(packed) && fitsTexture(y));
    assert.ok(!fitsTexture(empty(device, [rows, 68]))); // rows of no multiple of 256 bytes
    for (const seed of [1, 2]) {
      const values = randomValues(rows * columns, seed);
      const x = upload(device, [rows, columns], Float32Array.from(values));
      const bindings = { x: x.binding, packed: packed.binding, y: y.binding };
      device.launcher.launch(sum, bindings, { width: columns / 4 }, [columns / 4, rows]);
      const expected = values.map((value, i) =>
        Math.fround(value + (i % 4 < 2 ? words[Math.floor(i / 4) * 2 + i % 4] : 0))
      );
      assert.deepEqual([...await y.read()], expected);
    }
    const { storage, offset, size } = y.binding;
    assert.throws(
      () => device.launcher.launch(sum, { x: { storage, offset, size } }, { width: 1 }, [1, 1]),
      /Kernel sum.main: x is a texture; bind a whole tensor/,
    );
  }));

/** Counts the copies into textures that are recorded while `run` runs. */
function copiesIn(run: () => void): number {
  const prototype = Object.getPrototypeOf(device.gpu.createCommandEncoder()); // Deno's or Dawn's
  const copy = prototype.copyBufferToTexture;
  let copies = 0;
  prototype.copyBufferToTexture = function (this: GPUCommandEncoder, ...operands: unknown[]) {
    copies++;
    Reflect.apply(copy, this, operands);
  };
  try {
    run();
  } finally {
    prototype.copyBufferToTexture = copy;
  }
  return copies;
}

Deno.test("a copy serves the launches after it until something may have written to its matrix", () =>
  step(async () => {
    const [rows, columns] = [2, 64];
    const size = rows * columns;
    const text = source.replace("x[", "2 * x[").replace(/ \+ vec4f.*;/, ";").replace(
      /.*packed: .*\n/,
      "",
    );
    const double = kernel("double", fromTextures(text, ["x"]), "main");
    const plain = kernel("double", text, "main");
    const { launcher } = device;
    const launch = (x: Tensor, y: Tensor, kernel = double) =>
      launcher.launch(kernel, { x: x.binding, y: y.binding }, { width: columns / 4 }, [
        columns / 4,
        rows,
      ]);
    const x = upload(device, [rows, columns], new Float32Array(size).fill(1));
    const other = upload(device, [rows, columns], new Float32Array(size).fill(100));
    const [y, z] = [empty(device, [rows, columns]), empty(device, [rows, columns])];
    assert.notEqual(x.storage, y.storage);
    launcher.submit();
    const twice = copiesIn(() => {
      launch(x, y);
      launch(x, z);
    });
    assert.equal(twice, 1);
    assert.equal(copiesIn(() => launch(other, z)), 1); // takes the texture
    assert.equal(copiesIn(() => launch(x, y)), 1);
    launch(y, x, plain); // x = 4
    assert.equal(copiesIn(() => launch(x, z)), 1);
    assert.deepEqual([...await z.read()], new Array(size).fill(8));
    launch(x, z);
    launcher.record((encoder) => encoder.clearBuffer(x.storage.buffer));
    assert.equal(copiesIn(() => launch(x, z)), 1); // a command may write to anything
    assert.deepEqual([...await z.read()], new Array(size).fill(0));
  }));

Deno.test("a list of launches that is repeated makes the copies that it needs", () =>
  step(async () => {
    const [rows, columns] = [2, 64];
    const copy = kernel(
      "copy",
      fromTextures(source.replace(/\+ vec4f.*;/, ";").replace(/.*packed: array.*\n/, ""), ["x"]),
      "main",
    );
    const ones = new Float32Array(rows * columns).fill(1);
    const [x, y] = [upload(device, [rows, columns], ones), empty(device, [rows, columns])];
    const bindings = { x: x.binding, y: y.binding };
    const launch = () =>
      device.launcher.launch(copy, bindings, { width: columns / 4 }, [columns / 4, rows]);
    device.launcher.submit();
    const owner = {};
    launch(); // its copy is not the list's
    device.launcher.repeat(owner, "copy", launch);
    for (const value of [2, 3]) {
      device.write(x.storage, x.offset, ones.map(() => value));
      device.launcher.repeat(owner, "copy", launch);
      assert.deepEqual([...await y.read()], new Array(rows * columns).fill(value));
    }
  }));
