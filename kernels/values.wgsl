// Four values as a tensor holds them, a Vector, and as kernels compute with them: always in f32. Prepended to
// kernels that read or write them, once for each of a kernel's dtypes, under a name of its own: see values.ts.
//
// F16 needs no extension of WGSL: two values a word, as engine/pack.ts packs them. NATIVE is the same in memory,
// in the words of the extension f16, which a GPU converts by one instruction a value, to nearest.

//: if F32
alias Vector = vec4f;

fn loadVector(stored: Vector) -> vec4f {
  return stored;
}

fn storeVector(values: vec4f) -> Vector {
  return values;
}
//: end
//: if BF16
alias Vector = vec2u;

fn loadVector(stored: Vector) -> vec4f {
  let even = stored << vec2u(16);
  let odd = stored & vec2u(0xffff0000);
  return bitcast<vec4f>(vec4u(even.x, odd.x, even.y, odd.y));
}
//: end
//: if F16
alias Vector = vec2u;

fn loadVector(stored: Vector) -> vec4f {
  return vec4f(unpack2x16float(stored.x), unpack2x16float(stored.y));
}

// pack2x16float may make anything of what f16 cannot hold. It becomes infinite here, as it does where GPUs convert,
// and so does what is no number: neither is to pass for one. A loss that is no number ends a run, and gradients that are
// none have the step made with a smaller loss scale. The largest value, 0x7bff, turns into infinity, 0x7c00.
fn storeVector(values: vec4f) -> Vector {
  let fits = abs(values) <= vec4f(65504);
  let held = select(vec4f(65504), values, fits);
  let turn = select(vec4u(0x07ff), vec4u(), fits);
  return vec2u(pack2x16float(held.xy), pack2x16float(held.zw)) ^ (turn.xz | (turn.yw << vec2u(16)));
}
//: end
//: if NATIVE
alias Vector = vec4<f16>;

fn loadVector(stored: Vector) -> vec4f {
  return vec4f(stored);
}

fn storeVector(values: vec4f) -> Vector {
  return Vector(values); // infinite where f16 cannot hold it
}
//: end
