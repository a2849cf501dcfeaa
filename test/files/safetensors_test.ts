import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { encodeSafetensors, openSafetensors } from "../../models/files/safetensors.ts";
import { fileSource } from "../../models/host/files.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { folderTest, golden, withFolder } from "./temporary.ts";

/** The bytes of a safetensors file with any header and any data. */
function bytesOf(header: unknown, data: Uint8Array | number = 0, length?: number): Uint8Array {
  const json = new TextEncoder().encode(
    typeof header === "string" ? header : JSON.stringify(header),
  );
  const rest = typeof data === "number" ? new Uint8Array(data) : data;
  const bytes = new Uint8Array(8 + json.length + rest.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length ?? json.length), true);
  bytes.set(json, 8);
  bytes.set(rest, 8 + json.length);
  return bytes;
}

const f32 = (begin: number, end: number, shape = [(end - begin) / 4]) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

Deno.test("any float32 tensors come back bit by bit, from a file that is aligned to 8 bytes", async () => {
  const tensor = fc.record({
    shape: fc.array(fc.nat({ max: 5 }), { maxLength: 3 }),
    seed: fc.nat({ max: 0xffffffff }),
  });
  const tensors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== "__metadata__"),
    tensor,
    { maxKeys: 6 },
  );
  await withFolder((folder) =>
    fc.assert(
      fc.asyncProperty(tensors, async (described) => {
        const written = Object.entries(described).map(([name, { shape, seed }]) => {
          const size = shape.reduce((a, b) => a * b, 1);
          // Any bits: NaNs with payloads, infinities and denormals are among them.
          const words = Uint32Array.from(
            { length: size },
            (_, i) => Math.imul(seed + i, 2654435761),
          );
          return { name, shape, data: new Float32Array(words.buffer) };
        });
        const path = join(folder, "any.safetensors");
        const bytes = await writeFileWhole(path, encodeSafetensors(written));
        assert.equal((await Deno.stat(path)).size, bytes);
        const stored = await Deno.readFile(path);
        assert.equal(new DataView(stored.buffer).getBigUint64(0, true) % 8n, 0n);
        const file = await openSafetensors(await fileSource(path));
        try {
          assert.deepEqual(file.metadata, { format: "pt" });
          assert.deepEqual([...file.tensors.keys()].sort(), written.map((t) => t.name).sort());
          await Promise.all(written.map(async ({ name, shape, data }) => {
            assert.deepEqual(file.tensors.get(name)?.shape, shape);
            const read = await file.read(name);
            assert.deepEqual(new Uint32Array(read.buffer), new Uint32Array(data.buffer));
          }));
        } finally {
          file.close();
        }
      }),
      { numRuns: 40 },
    )
  );
});

folderTest(
  "rewriting a file of the reference implementation gives the same bytes",
  async (folder) => {
    const original = golden("model", "model.safetensors");
    const file = await openSafetensors(await fileSource(original));
    const tensors = [];
    for (const { name, shape } of file.tensors.values()) {
      tensors.push({ name, shape, data: await file.read(name) });
    }
    file.close();
    const copy = join(folder, "copy.safetensors");
    await writeFileWhole(copy, encodeSafetensors(tensors.reverse(), file.metadata));
    assert.deepEqual(await Deno.readFile(copy), await Deno.readFile(original));
  },
);

folderTest(
  "F64, F16 and BF16 become float32; integers are listed, but not read",
  async (folder) => {
    const data = new Uint8Array(30);
    const view = new DataView(data.buffer);
    view.setFloat64(0, 0.1, true);
    view.setFloat64(8, -Infinity, true);
    [0x3c00, 0x0001, 0xfbff].forEach((half, i) => view.setUint16(16 + 2 * i, half, true));
    [0x3f80, 0xc049].forEach((half, i) => view.setUint16(22 + 2 * i, half, true));
    view.setInt32(26, 7, true);
    const path = join(folder, "dtypes.safetensors");
    await Deno.writeFile(
      path,
      bytesOf({
        double: { dtype: "F64", shape: [2, 1], data_offsets: [0, 16] },
        half: { dtype: "F16", shape: [3], data_offsets: [16, 22] },
        brain: { dtype: "BF16", shape: [2], data_offsets: [22, 26] },
        whole: { dtype: "I32", shape: [], data_offsets: [26, 30] },
        __metadata__: { format: "pt", note: "ä" },
      }, data),
    );
    const file = await openSafetensors(await fileSource(path));
    try {
      assert.deepEqual(file.metadata, { format: "pt", note: "ä" });
      assert.deepEqual([...await file.read("double")], [Math.fround(0.1), -Infinity]);
      assert.deepEqual([...await file.read("half")], [1, 2 ** -24, -65504]);
      assert.deepEqual([...await file.read("brain")], [1, -3.140625]);
      assert.deepEqual(file.tensors.get("whole")?.shape, []);
      await assert.rejects(
        file.read("whole"),
        /dtypes\.safetensors: "whole" is I32 \[\]; only F32/,
      );
      await assert.rejects(file.read("absent"), /dtypes\.safetensors holds no tensor "absent"/);
    } finally {
      file.close();
    }
  },
);

const malformed: [string, Uint8Array, RegExp][] = [
  ["empty", new Uint8Array(0), /0 bytes hold no header/],
  ["seven bytes", new Uint8Array(7), /7 bytes hold no header/],
  ["huge header", bytesOf("{}", 0, 200_000_000), /header of 200000000 bytes; at most 100000000/],
  ["a header of 2^63 bytes", bytesOf("{}", 0, Number.MAX_SAFE_INTEGER), /9007199254740991 bytes/],
  ["a header beyond the end", bytesOf("{}", 0, 50), /cut off: its header should take 50 bytes/],
  ["a header that is all brackets", bytesOf(`{"a":${"[".repeat(1e6)}`), /200 levels deep/],
  ["no JSON", bytesOf("{nope"), /header is not JSON/],
  ["no UTF-8", bytesOf("", new Uint8Array([0x22, 0xff, 0x22]), 3), /header is not JSON/],
  ["no object", bytesOf([]), /header is not a JSON object/],
  ["an entry that is none", bytesOf({ a: 1 }), /entry "a" of its header is not an object/],
  ["metadata of numbers", bytesOf({ __metadata__: { a: 1 } }), /metadata "a" is not a string/],
  [
    "an unknown dtype",
    bytesOf({ a: { dtype: "toString", shape: [], data_offsets: [0, 4] } }, 4),
    /"a" has the unknown dtype "toString"/,
  ],
  ["a negative size", bytesOf({ a: f32(0, 4, [-1]) }, 4), /"a" has the shape \[-1\]/],
  ["a missing shape", bytesOf({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4), /has the shape/],
  ["offsets backwards", bytesOf({ a: f32(4, 0, [1]) }, 4), /data_offsets \[4,0\]/],
  ["a shape of another size", bytesOf({ a: f32(0, 8, [3]) }, 8), /"a", F32 \[3\], should take 12/],
  ["an overlap", bytesOf({ a: f32(0, 8), b: f32(4, 12) }, 12), /"b" starts at byte 4.*overlap/],
  ["twice the same bytes", bytesOf({ a: f32(0, 8), b: f32(0, 8) }, 8), /"b" starts.*overlap/],
  ["a hole", bytesOf({ a: f32(0, 4), b: f32(8, 12) }, 12), /"b" starts at byte 8.*leave a hole/],
  ["data cut off", bytesOf({ a: f32(0, 8) }, 7), /cut off: its tensors take 8 bytes, but only 7/],
  ["data too long", bytesOf({ a: f32(0, 8) }, 9), /1 bytes at its end belong to no tensor/],
];

for (const [what, bytes, message] of malformed) {
  folderTest(`a malformed file is an error that names it: ${what}`, async (folder) => {
    const path = join(folder, "broken.safetensors");
    await Deno.writeFile(path, bytes);
    await assert.rejects(openSafetensors(await fileSource(path)), (error) => {
      assert(error instanceof UserError);
      assert.match(error.message, /broken\.safetensors/);
      assert.match(error.message, message);
      return true;
    });
  });
}

folderTest("a missing file is an error that names it", async (folder) => {
  await assert.rejects(fileSource(join(folder, "x.safetensors")), /no file .*x\.safetensors/);
});

Deno.test("tensors that do not fit their shape or share a name are refused", () => {
  const tensor = { name: "a", shape: [2, 2], data: new Float32Array(4) };
  assert.throws(
    () => encodeSafetensors([{ ...tensor, shape: [2, 3] }]),
    /"a" of shape \[2, 3\] should hold 6 values, but holds 4/,
  );
  assert.throws(() => encodeSafetensors([tensor, { ...tensor }]), /name "a" is taken/);
  assert.throws(() => encodeSafetensors([{ ...tensor, name: "__metadata__" }]), /is taken/);
});

folderTest("a view into a larger buffer is written, not the buffer", async (folder) => {
  const path = join(folder, "view.safetensors");
  const data = new Float32Array([1, 2, 3, 4, 5]).subarray(1, 4);
  await writeFileWhole(path, encodeSafetensors([{ name: "v", shape: [3], data }], {}));
  const file = await openSafetensors(await fileSource(path));
  try {
    assert.deepEqual([...await file.read("v")], [2, 3, 4]);
  } finally {
    file.close();
  }
});

Deno.test("a tensor larger than a typed array is refused before it is read", async () => {
  const size = 40e9;
  const header = encodeSafetensors([{ name: "a", shape: [1], data: new Float32Array(1) }])[0];
  const text = new TextDecoder().decode(header.subarray(8))
    .replace("[1]", `[${size / 4}]`).replace("[0,4]", `[0,${size}]`).trimEnd();
  const bytes = bytesOf(text);
  const source = bytesSource(bytes, "huge.safetensors");
  const file = await openSafetensors({ ...source, byteLength: bytes.length + size });
  assert.equal(file.tensors.get("a")?.byteLength, size);
  await assert.rejects(
    file.read("a"),
    /huge\.safetensors: "a" \[10000000000\] takes 40000000000 bytes; at most 4294967296/,
  );
});
