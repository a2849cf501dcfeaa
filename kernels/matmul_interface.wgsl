// What the tiled kernels of the matmul family share: parameters, operands, epilogue. Prepended to each.
// All dimensions are multiples of 4, but for the rows of A and C in NT and NN and the inner size in TN.
//
//   NT   C[m, n] = Σ_k A[m, k] B[n, k]    y = x Wᵀ          (forward of a linear layer)
//   NN   C[m, n] = Σ_k A[m, k] B[k, n]    dx = dy W         (its input gradient)
//   TN   C[m, n] = Σ_k A[k, m] B[k, n]    dW = dyᵀ x        (its weight gradient)
//
// A stack of products is one launch: layers with the same input (query, key, value), whose weights lie one
// after another. NT makes C_z = A B_zᵀ and TN C_z = A_zᵀ B, z being the third workgroup index; NN makes
// C = Σ_z A_z B_z, the gradient of the common input.
//
// A second product, NT only, adds a1 b1ᵀ: LoRA's (s·u) Bᵀ, written with y at once.
//
// A, B and C have dtypes of their own (values.wgsl): 16 bits a value are half the memory and bandwidth, of a frozen
// weight and of what a layer takes and gives. A and B may come from textures: see texture.ts.

struct Params {
  rows: u32, // m
  columns: u32, // n
  inner0: u32, // k
  inner1: u32, // k of the second product: LoRA's rank
  stack: u32, // products in the stack
  slots: u32, // the second product's number for each of the stack, four bits each; 15 where there is none
  site: u32,
  threshold: u32,
  keep: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a0: array<VectorA>;
@group(0) @binding(2) var<storage, read> b0: array<VectorB>;
@group(0) @binding(3) var<storage, read_write> c: array<VectorC>;
//: if BIAS
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
//: end
//: if SECOND
@group(0) @binding(5) var<storage, read> a1: array<vec4f>;
@group(0) @binding(6) var<storage, read> b1: array<vec4f>;
//: end
//: if RESIDUAL
@group(0) @binding(7) var<storage, read> residual: array<VectorC>;
//: end
//: if KEEP
@group(0) @binding(8) var<storage, read_write> kept: array<VectorC>; // what GELU is taken of
//: end

// Four values of an operand's row: vec4 number `at` of a row of `width` vec4s.
fn loadA0(row: u32, width: u32, at: u32) -> vec4f {
  return loadVectorA(a0[row * width + at]);
}

fn loadB0(row: u32, width: u32, at: u32) -> vec4f {
  return loadVectorB(b0[row * width + at]);
}
//: if SECOND

fn loadA1(row: u32, width: u32, at: u32) -> vec4f {
  return a1[row * width + at];
}

fn loadB1(row: u32, width: u32, at: u32) -> vec4f {
  return b1[row * width + at];
}

// The number of a stacked product's second product.
fn slotOf(z: u32) -> u32 {
  return (params.slots >> (4 * z)) & 15;
}
//: end

// The epilogue: four finished values of product z's C, of vec4 column `column`, on their way to memory.
fn store(z: u32, row: u32, column: u32, value: vec4f) {
  let columns = params.columns / 4;
  if (row >= params.rows || column >= columns) { return; }
  let at = (z * params.rows + row) * columns + column;
  var y = value;
  //: if ACCUMULATE
  y += loadVectorC(c[at]);
  //: end
  //: if GELU
  //: if KEEP
  kept[at] = storeVectorC(y);
  //: end
  y *= cumulative(y);
  //: end
  //: if DROPOUT
  y *= dropoutFactors(params.site, inWholeBatch(at, columns), params.threshold, params.keep);
  //: end
  //: if RESIDUAL
  y += loadVectorC(residual[at]);
  //: end
  c[at] = storeVectorC(y);
}

