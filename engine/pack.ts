/** Values in 16 bits: packed here for frozen weights; kernels read and write them by kernels/values.wgsl. */

export const dtypes = ["f32", "bf16", "f16"] as const;

/** How a tensor's values lie in memory. */
export type Dtype = (typeof dtypes)[number];
export type PackedDtype = Exclude<Dtype, "f32">;

export const bytesPerValue: Readonly<Record<Dtype, number>> = { f32: 4, bf16: 2, f16: 2 };

/** From here on, half a step above the largest finite value, rounding to nearest gives infinity. */
const overflow: Readonly<Record<PackedDtype, number>> = {
  bf16: (2 - 2 ** -8) * 2 ** 127,
  f16: (2 - 2 ** -11) * 2 ** 15,
};

/**
 * Packs values, rounded to nearest, ties to even; NaN and infinities stay. Throws a RangeError for a
 * finite value that would become infinite.
 */
export function pack(values: Float32Array, dtype: PackedDtype): Uint16Array {
  const limit = overflow[dtype];
  for (let i = 0; i < values.length; i++) {
    const magnitude = Math.abs(values[i]);
    if (magnitude >= limit && magnitude < Infinity) {
      throw new RangeError(`value ${i} is ${values[i]}, beyond the range of ${dtype}`);
    }
  }
  return dtype === "bf16" ? packBf16(values) : new Uint16Array(new Float16Array(values).buffer);
}

/** bf16 is the upper half of f32. Half a step, less a bit where the upper half is even, carries into it. */
function packBf16(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const packed = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const upper = word >>> 16;
    const isNaN = (word & 0x7fffffff) > 0x7f800000; // its set bits may all lie in the lower half
    packed[i] = isNaN ? upper | 0x40 : (word + 0x7fff + (upper & 1)) >>> 16;
  }
  return packed;
}

/** The values that were packed, exactly. */
export function unpack(packed: Uint16Array, dtype: PackedDtype): Float32Array {
  if (dtype === "f16") {
    return new Float32Array(new Float16Array(packed.buffer, packed.byteOffset, packed.length));
  }
  return new Float32Array(Uint32Array.from(packed, (upper) => upper << 16).buffer);
}
