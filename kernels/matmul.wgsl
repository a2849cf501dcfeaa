// Matrix product C = op(A) op(B), tile by tile in registers; dimensions in multiples of 4.
//
//   NT   C[m, n] = Σ_k A[m, k] B[n, k]    y = x Wᵀ          (forward of a linear layer)
//   NN   C[m, n] = Σ_k A[m, k] B[k, n]    dx = dy W         (its input gradient)
//   TN   C[m, n] = Σ_k A[k, m] B[k, n]    dW = dyᵀ x        (its weight gradient)
//
// One invocation keeps a tile of GROUPS·LANES·4 rows by COLUMNS·4 columns in named registers; the
// text is unrolled by expand.ts because naga leaves indexed local arrays in memory. With
// BROADCAST the invocations of a subgroup of LANES lie side by side along n and need the same rows
// of A: each loads its share and hands it round by subgroupBroadcast. Where a load costs
// as much as hundreds of multiply-adds, as on llvmpipe, that is 3 times as fast.
//
// TEXTURE_A and TEXTURE_B read an operand from a texture of rgba32float, [rows, columns/4] texels, into
// which the engine copies it. On llvmpipe (Mesa 22.3) a vec4 from a storage buffer costs 213 ns for 8
// lanes, because each lane's load is a branch, and one from a texture about 30 ns.
//
// PACKED_B: b0 holds 16 bits a value, bf16 (BF16_B) or f16, four values a vec2u: half the memory and
// bandwidth of a frozen weight. In a texture it is rg32uint.
//
// PARTS = 2 adds a second product of the same kind, a1 b1ᵀ: LoRA's (s·u) Bᵀ, written with y at once.

struct Params {
  rows: u32, // m
  columns: u32, // n
  inner0: u32, // k
  inner1: u32, // k of the second product: LoRA's rank
}

@group(0) @binding(0) var<uniform> params: Params;
//: if TEXTURE_A
@group(0) @binding(1) var a0: texture_2d<f32>;
//: else
@group(0) @binding(1) var<storage, read> a0: array<vec4f>;
//: end
//: if PACKED_B
//: if TEXTURE_B
@group(0) @binding(2) var b0: texture_2d<u32>;
//: else
@group(0) @binding(2) var<storage, read> b0: array<vec2u>;
//: end
//: else
//: if TEXTURE_B
@group(0) @binding(2) var b0: texture_2d<f32>;
//: else
@group(0) @binding(2) var<storage, read> b0: array<vec4f>;
//: end
//: end
@group(0) @binding(3) var<storage, read_write> c: array<vec4f>;
//: if BIAS
@group(0) @binding(4) var<storage, read> bias: array<vec4f>;
//: end
//: if SECOND
@group(0) @binding(5) var<storage, read> a1: array<vec4f>;
@group(0) @binding(6) var<storage, read> b1: array<vec4f>;
//: end

// Four values of an operand's row: vec4 number `at` of a row of `width` vec4s.
fn loadA0(row: u32, width: u32, at: u32) -> vec4f {
  //: if TEXTURE_A
  return textureLoad(a0, vec2u(at, row), 0);
  //: else
  return a0[row * width + at];
  //: end
}

fn loadB0(row: u32, width: u32, at: u32) -> vec4f {
  //: if TEXTURE_B
  let loaded = textureLoad(b0, vec2u(at, row), 0);
  //: else
  let loaded = b0[row * width + at];
  //: end
  //: if PACKED_B
  return unpack(loaded.xy);
  //: else
  return loaded;
  //: end
}
//: if PACKED_B

fn unpack(packed: vec2u) -> vec4f {
  //: if BF16_B
  let even = packed << vec2u(16);
  let odd = packed & vec2u(0xffff0000);
  return bitcast<vec4f>(vec4u(even.x, odd.x, even.y, odd.y));
  //: else
  return vec4f(unpack2x16float(packed.x), unpack2x16float(packed.y));
  //: end
}
//: end
//: if SECOND

fn loadA1(row: u32, width: u32, at: u32) -> vec4f {
  return a1[row * width + at];
}

fn loadB1(row: u32, width: u32, at: u32) -> vec4f {
  return b1[row * width + at];
}
//: end

@compute @workgroup_size($X, $Y)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let row = id.y * ($GROUPS * $LANES * 4);
  let column = id.x * $COLUMNS; // in vec4s, as everything that runs along n
  let columns = params.columns / 4;
  // No early return: lanes beyond the edge still load for their subgroup. Indices are clamped, stores guarded.
  //: for j in 0..COLUMNS
  let column$j = min(column + $j, columns - 1);
  //: end
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  //: for q in 0..4
  //: for j in 0..COLUMNS
  //: if BIAS
  var c$g_$l_$q_$j = bias[column$j];
  //: else
  var c$g_$l_$q_$j = vec4f();
  //: end
  //: end
  //: end
  //: end
  //: end

  //: if TN
  let rows = params.rows / 4;
  //: for g in 0..GROUPS
  //: if BROADCAST
  let rows$g = min(row / 4 + $g * $LANES + lane, rows - 1);
  //: else
  //: for l in 0..LANES
  let rows$g_$l = min(row / 4 + $g * $LANES + $l, rows - 1);
  //: end
  //: end
  //: end
  for (var k = 0u; k < params.inner0; k++) {
    //: for j in 0..COLUMNS
    let v$j = loadB0(k, columns, column$j);
    //: end
    //: for g in 0..GROUPS
    //: if BROADCAST
    let own$g = loadA0(k, rows, rows$g);
    //: end
    //: for l in 0..LANES
    {
      //: if BROADCAST
      let a = subgroupBroadcast(own$g, u32($l));
      //: else
      let a = loadA0(k, rows, rows$g_$l);
      //: end
      //: for j in 0..COLUMNS
      c$g_$l_0_$j = fma(a.xxxx, v$j, c$g_$l_0_$j);
      c$g_$l_1_$j = fma(a.yyyy, v$j, c$g_$l_1_$j);
      c$g_$l_2_$j = fma(a.zzzz, v$j, c$g_$l_2_$j);
      c$g_$l_3_$j = fma(a.wwww, v$j, c$g_$l_3_$j);
      //: end
    }
    //: end
    //: end
  }
  //: else
  //: for p in 0..PARTS
  {
    let inner = params.inner$p / 4;
    //: for g in 0..GROUPS
    //: for q in 0..4
    //: if BROADCAST
    let row$g_$q = min(row + ($g * $LANES + lane) * 4 + $q, params.rows - 1);
    //: else
    //: for l in 0..LANES
    let row$g_$l_$q = min(row + ($g * $LANES + $l) * 4 + $q, params.rows - 1);
    //: end
    //: end
    //: end
    //: end
    for (var k = 0u; k < inner; k++) {
      //: for g in 0..GROUPS
      //: for q in 0..4
      //: if BROADCAST
      let own$g_$q = loadA$p(row$g_$q, inner, k);
      //: for l in 0..LANES
      let a$g_$l_$q = subgroupBroadcast(own$g_$q, u32($l));
      //: end
      //: else
      //: for l in 0..LANES
      let a$g_$l_$q = loadA$p(row$g_$l_$q, inner, k);
      //: end
      //: end
      //: end
      //: end
      //: for j in 0..COLUMNS
      {
        //: for t in 0..4
        //: if NT
        let v$t = loadB$p(column$j * 4 + $t, inner, k);
        //: else
        let v$t = loadB$p(k * 4 + $t, columns, column$j);
        //: end
        //: end
        //: for g in 0..GROUPS
        //: for l in 0..LANES
        //: for q in 0..4
        //: if NT
        c$g_$l_$q_$j += vec4f(dot(a$g_$l_$q, v0), dot(a$g_$l_$q, v1), dot(a$g_$l_$q, v2), dot(a$g_$l_$q, v3));
        //: else
        c$g_$l_$q_$j = fma(a$g_$l_$q.wwww, v3, fma(a$g_$l_$q.zzzz, v2, fma(a$g_$l_$q.yyyy, v1, fma(a$g_$l_$q.xxxx, v0, c$g_$l_$q_$j))));
        //: end
        //: end
        //: end
        //: end
      }
      //: end
    }
  }
  //: end
  //: end

  //: for g in 0..GROUPS
  //: for l in 0..LANES
  //: for q in 0..4
  if (row + ($g * $LANES + $l) * 4 + $q < params.rows) {
    let at = (row + ($g * $LANES + $l) * 4 + $q) * columns + column;
    //: for j in 0..COLUMNS
    if (column + $j < columns) {
      //: if ACCUMULATE
      c[at + $j] += c$g_$l_$q_$j;
      //: else
      c[at + $j] = c$g_$l_$q_$j;
      //: end
    }
    //: end
  }
  //: end
  //: end
  //: end
}
