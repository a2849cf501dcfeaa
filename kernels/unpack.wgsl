// Four values of 16 bits, bf16 (BF16) or f16, as engine/pack.ts packs them. Prepended to kernels that read them.

fn unpack(packed: vec2u) -> vec4f {
  //: if BF16
  let even = packed << vec2u(16);
  let odd = packed & vec2u(0xffff0000);
  return bitcast<vec4f>(vec4u(even.x, odd.x, even.y, odd.y));
  //: else
  return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
  //: end
}
