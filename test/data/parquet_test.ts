/** Parquet as writers make it, and as it must not be believed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { openParquet } from "../../models/data/parquet.ts";
import { readRuns, skipDeltas } from "../../models/data/parquet/runs.ts";
import { readStruct } from "../../models/data/parquet/thrift.ts";
import { checkRatio, unpackerOf } from "../../models/data/parquet/unpack.ts";
import { exactValue, parsers } from "../../models/data/parquet/values.ts";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";

const names = ["strings", "classes", "types", "deltas", "gzip"] as const;

const files = Object.fromEntries(
  await Promise.all(names.map(async (name) => {
    const path = fileURLToPath(new URL(`fixtures/${name}.parquet`, import.meta.url));
    return [name, await Deno.readFile(path)] as const;
  })),
);

const open = (bytes: Uint8Array) => openParquet(bytesSource(bytes, "f.parquet"));

/** A file with one byte changed. */
function changed(name: typeof names[number], at: number, value: number): Uint8Array {
  const bytes = files[name].slice();
  assert.notEqual(bytes[at], value);
  bytes[at] = value;
  return bytes;
}

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("fields of structs are columns; values keep their digits; null and NaN are empty", async () => {
  const table = await open(files.types);
  assert.deepEqual(
    table.columns,
    "data.text data.in.n big float single bool money day time kind map bytes".split(" "),
  );
  const first = async (column: string, rows: number) => (await table.read(column)).slice(0, rows);
  const text = await table.read("data.text");
  assert.equal(text.length, 20);
  assert.deepEqual(text.slice(2, 7), ["row 2", "", "row 4", "", "row 6"]);
  assert.deepEqual(text.slice(18), ["row 18", "row 19"]);
  assert.deepEqual(await first("data.in.n", 5), ["0", "1", "0", "", "0"]);
  assert.deepEqual(await first("big", 3), ["9007199254740993", "", "9007199254740995"]);
  assert.deepEqual(await first("float", 4), ["0", "0.5", "", "1.5"]);
  assert.deepEqual(await first("single", 4), ["0", "0.1", "0.2", "0.3"]);
  assert.deepEqual(await first("bool", 2), ["true", "false"]);
  assert.deepEqual(await first("money", 6), ["-1.25", "-1.00", "-0.75", "-0.50", "-0.25", "0.00"]);
  assert.deepEqual(await first("day", 2), ["1969-12-30", "1969-12-31"]);
  assert.deepEqual(
    await first("time", 2),
    ["2024-05-06T07:08:09.000Z", "2024-05-06T07:08:09.000001Z"],
  );
  assert.deepEqual(await first("kind", 3), ["a", "b", "a"]);
  await rejects(table.read("map"), /^f\.parquet: "map" is a map\. One text/);
  await rejects(table.read("bytes"), /^f\.parquet, row 1: "bytes" is binary data\. One text/);
});

Deno.test("values kept as differences are read, and pages of version 2", async () => {
  for (const name of ["deltas", "gzip"]) {
    const table = await open(files[name]);
    assert.deepEqual((await table.read("text")).slice(3, 7), [
      "It's Monday.",
      "",
      "naïve café ☕",
      "What a day!",
    ]);
    assert.deepEqual((await table.read("label")).slice(0, 2), ["joy", "sadness"]);
    assert.equal((await table.read("n"))[17], "17000");
    assert.deepEqual((await table.read("i")).slice(0, 5), ["0", "1", "2", "3", "0"]);
  }
});

Deno.test("a header that lacks a length, or announces what cannot be, is told", async () => {
  const cases: [at: number, value: number, column: string, message: RegExp][] = [
    // hyparquet reads on from NaN, which is the page's first byte for ever.
    [21, 0x25, "text", /damaged or was cut off \(a page lacks its length of levels\)/],
    [9, 0x25, "text", /a page lacks its compressed size/],
    // A run of 2²⁴ values, written behind the array's end one by one.
    [65, 0xff, "text", /a run of 24895480 values stands where 18 are left/],
    [69, 0x90, "text", /blocks of 144 values in 4 parts/],
    [22, 0x18, "text", /blocks of 0 values in 0 parts/],
    [75, 0xff, "text", /its differences have 255 bits/],
    [13, 0x25, "text", /a page lacks its number of values/],
  ];
  for (const [at, value, column, message] of cases) {
    const table = await open(changed("deltas", at, value));
    await rejects(table.read(column), message);
    assert.equal((await table.read("label")).length, 18);
  }
});

Deno.test("what is no Parquet file is told", async () => {
  const { strings } = files;
  const ended = (magic: string) => {
    const bytes = strings.slice();
    bytes.set(new TextEncoder().encode(magic), bytes.length - 4);
    return bytes;
  };
  await rejects(open(strings.slice(0, -100)), /Cannot read f\.parquet as Parquet: .* cut off/);
  await rejects(open(strings.slice(0, 3)), /cut off/);
  await rejects(open(ended("PARE")), /it is encrypted/);
  const huge = strings.slice();
  new DataView(huge.buffer).setUint32(huge.length - 8, 0xfffffff0, true);
  await rejects(open(huge), /a footer of 4294967280 bytes is announced/);
});

Deno.test("numbers of Thrift are held against the bytes that are left", () => {
  const read = (...bytes: number[]) => readStruct(new DataView(Uint8Array.from(bytes).buffer), 0);
  const fields = [...read(0x15, 0x03, 0x18, 1, 65, 0x11, 0x19, 0x25, 2, 4, 0).fields];
  assert.deepEqual(fields, [[1, -2], [2, Uint8Array.of(65)], [3, true], [4, [1, 2]]]);
  assert.throws(() => read(0x15), /ends too early/);
  // A list of 2²⁸ items, for each of which hyparquet would make room.
  assert.throws(
    () => read(0x19, 0xf5, 0xff, 0xff, 0xff, 0x7f),
    /announces 268435455 .* 0 are left/,
  );
  assert.throws(() => read(...Array(100).fill(0x1c)), /more than 32 deep/);
  assert.throws(() => read(0x15, ...Array(20).fill(0xff)), /more than 32 bits/);
  assert.throws(() => read(0x1f), /unknown type 15/);
});

Deno.test("runs and packed bits are read as they were written", () => {
  const read = (bytes: number[], width: number, count: number) => {
    const values: number[] = [];
    const section = { bytes: Uint8Array.from(bytes), at: 0, end: bytes.length };
    readRuns(section, width, count, (value, times) => {
      for (let time = 0; time < times; time++) values.push(value);
    });
    return values;
  };
  // The example of Parquet's documentation: 0 to 7 in 3 bits each.
  assert.deepEqual(read([0x03, 0x88, 0xc6, 0xfa], 3, 8), [0, 1, 2, 3, 4, 5, 6, 7]);
  assert.deepEqual(read([0x06, 2, 0x03, 0x88, 0xc6, 0xfa], 3, 5), [2, 2, 2, 0, 1]);
  assert.deepEqual(read([0x04, 0x34, 0x12], 12, 2), [0x1234, 0x1234]);
  // DuckDB fills runs up to 256 values.
  assert.deepEqual(read([0x41, 0b101, ...Array(31).fill(0)], 1, 3), [1, 0, 1]);
  assert.throws(() => read([0x08, 2], 3, 3), /a run of 4 values stands where 3 are left/);
  assert.throws(() => read([0xff, 0xff, 0xff, 0xff, 0x0f], 0, 3), /a run of 17179869176 values/);
  assert.throws(() => read([0x02, 1], 1, 3), /end too early/);
  assert.throws(() => read([0x00], 0, 3), /end too early/);
  assert.throws(() => read([0x02, 1], 33, 1), /33 bits/);
  const deltas = (...bytes: number[]) =>
    skipDeltas({ bytes: Uint8Array.from(bytes), at: 0, end: bytes.length }, 5);
  deltas(8, 1, 5, 2, 2, 0);
  // -1 miniblocks, by which hyparquet walks backwards.
  assert.throws(() => deltas(8, 0xff, 0xff, 0xff, 0xff, 0x0f, 5, 2, 2, 0), /in 4294967295 parts/);
});

Deno.test("a page that asks for more room than it announces is not unpacked", () => {
  const unpack = unpackerOf("ZSTD");
  /** A frame of Zstandard with such a window, and as many blocks of 100 times "a". */
  const frame = (window: number, blocks: number) =>
    Uint8Array.from([
      ...[0x28, 0xb5, 0x2f, 0xfd, 0, window],
      ...Array.from({ length: blocks }, (_, at) => [at + 1 < blocks ? 0x22 : 0x23, 3, 0, 97])
        .flat(),
    ]);
  assert.equal(new TextDecoder().decode(unpack(frame(0x50, 2), 200)), "a".repeat(200));
  assert.equal(unpack(frame(0x50, 1), 0).length, 0);
  assert.throws(() => unpack(frame(0xa0, 1), 100), /announces 100 bytes asks for room for 107374/);
  const many = frame(0x50, 1000).map((byte, at) => at > 6 && at % 4 === 0 ? 0xff : byte);
  assert.throws(() => unpack(many, 100), /asks for room for/);
  assert.throws(() => unpack(frame(0x50, 2).slice(0, -3), 200), /ends too early/);
  assert.throws(() => unpack(Uint8Array.of(1, 2, 3, 4), 200), /not compressed by Zstandard/);
  assert.throws(() => unpackerOf("LZO"), /compressed by LZO, which is not read/);
  assert.throws(() => unpackerOf(undefined), /a codec that is not known/);
  checkRatio("SNAPPY", 10, 2 ** 20);
  checkRatio("GZIP", 2 ** 20, 2 ** 30);
  assert.throws(() => checkRatio("SNAPPY", 2 ** 20, 2 ** 30), /announces 1073741824 when unpacked/);
});

Deno.test("decimals and times keep the digits that a float would lose", () => {
  const decimal = { name: "d", type: "INT64", converted_type: "DECIMAL", scale: 2 } as const;
  assert.equal(exactValue(123456789012345678n, decimal), "1234567890123456.78");
  assert.equal(exactValue(-5, { ...decimal, type: "INT32" }), "-0.05");
  const bytes = { ...decimal, type: "FIXED_LEN_BYTE_ARRAY", type_length: 2 } as const;
  assert.equal(exactValue(Uint8Array.of(0xff, 0x00), bytes), "-2.56");
  assert.equal(exactValue(7, { ...decimal, scale: 0 }), 7n);
  assert.equal(parsers.timestampFromMicroseconds(-1n), "1969-12-31T23:59:59.999999Z");
  assert.equal(parsers.timestampFromNanoseconds(1_000_000n), "1970-01-01T00:00:00.001Z");
  assert.equal(parsers.timestampFromMilliseconds(2n ** 62n), String(2n ** 62n));
});

/** FUZZ=5000 makes so many files; each is one of the fixtures with a few bytes changed, put in or taken out. */
const numRuns = Number(Deno.env.get("FUZZ") ?? 150);

Deno.test("whatever a file holds, it is read, or told to be damaged, and ends", async () => {
  const byte = fc.oneof(
    fc.integer({ min: 0, max: 255 }),
    fc.constantFrom(0, 1, 0x15, 0x25, 0x7f, 0x80, 0xff),
  );
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    how: fc.constantFrom("change", "change", "change", "put in", "take out"),
    byte,
  });
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...names), changes, async (name, changes) => {
      const bytes = [...files[name]];
      for (const { at, how, byte } of changes) {
        const index = Math.floor(at * bytes.length);
        bytes.splice(index, how === "put in" ? 0 : 1, ...how === "take out" ? [] : [byte]);
      }
      try {
        const table = await open(Uint8Array.from(bytes));
        for (const column of table.columns) {
          try {
            assert.equal((await table.read(column)).length, table.rows);
          } catch (error) {
            if (!(error instanceof UserError)) throw error;
          }
        }
      } catch (error) {
        if (!(error instanceof UserError)) throw error;
      }
    }),
    { numRuns },
  );
});
