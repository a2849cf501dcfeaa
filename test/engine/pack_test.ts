/** Values in 16 bits: rounding, and what cannot be packed. */
import assert from "node:assert/strict";
import { pack, type PackedDtype, unpack } from "../../engine/pack.ts";

const allCodes = Uint16Array.from({ length: 2 ** 16 }, (_, code) => code);

/** The value that a number becomes. */
const rounded = (value: number, dtype: PackedDtype) =>
  unpack(pack(Float32Array.of(value), dtype), dtype)[0];

for (const dtype of ["bf16", "f16"] as const) {
  Deno.test(`${dtype}: all values survive, subnormals, infinities and NaN too`, () => {
    const values = unpack(allCodes, dtype);
    const again = pack(values, dtype);
    for (const code of allCodes) {
      if (Number.isNaN(values[code])) assert.ok(Number.isNaN(rounded(NaN, dtype)));
      else assert.equal(again[code], code, `${values[code]}`);
    }
    assert.ok(unpack(again, dtype).every((value, code) => Object.is(value, values[code])));
  });

  Deno.test(`${dtype}: to nearest, ties to even`, () => {
    const infinity = dtype === "bf16" ? 0x7f80 : 0x7c00;
    const values = unpack(allCodes, dtype);
    const codes = (magnitudes: number[]) => [
      ...pack(Float32Array.from(magnitudes), dtype),
      ...pack(Float32Array.from(magnitudes, (value) => -value), dtype).map((code) => code - 0x8000),
    ];
    const below: number[] = [], between: number[] = [], above: number[] = [];
    for (let code = 0; code < infinity - 1; code++) {
      const [low, high] = [values[code], values[code + 1]];
      const middle = (low + high) / 2;
      const nudge = (high - low) / 128;
      below.push(middle - nudge);
      between.push(middle);
      above.push(middle + nudge);
    }
    const expected = (round: (code: number) => number) => {
      const each = below.map((_, code) => round(code));
      return [...each, ...each];
    };
    assert.deepEqual(codes(below), expected((code) => code));
    assert.deepEqual(codes(between), expected((code) => code + code % 2));
    assert.deepEqual(codes(above), expected((code) => code + 1));
  });
}

Deno.test("the last value before infinity, and what lies beyond, by name", () => {
  assert.equal(rounded(65519, "f16"), 65504);
  assert.throws(() => pack(Float32Array.of(0, -65520), "f16"), {
    name: "RangeError",
    message: "value 1 is -65520, beyond the range of f16",
  });
  const largest = (2 - 2 ** -7) * 2 ** 127;
  assert.equal(rounded((2 - 2 ** -8 - 2 ** -20) * 2 ** 127, "bf16"), largest);
  assert.throws(() => pack(Float32Array.of((2 - 2 ** -8) * 2 ** 127), "bf16"), /range of bf16/);
});

Deno.test("a NaN whose bits all lie in the lower half stays NaN", () => {
  const values = new Float32Array(Uint32Array.of(0x7f800001, 0xff800001, 0xffffffff).buffer);
  assert.ok(unpack(pack(values, "bf16"), "bf16").every(Number.isNaN));
});

Deno.test("a piece of a larger array is packed alone", () => {
  const values = Float32Array.of(1, 2, 3, 4);
  for (const dtype of ["bf16", "f16"] as const) {
    const packed = pack(values.subarray(1, 3), dtype);
    assert.deepEqual([...unpack(packed, dtype)], [2, 3]);
    const both = Uint16Array.of(0, ...packed);
    assert.deepEqual([...unpack(both.subarray(1), dtype)], [2, 3]);
  }
});
