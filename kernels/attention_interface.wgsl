// Scaled dot-product attention within packed sentences (Vaswani et al. 2017), with the running softmax
// of FlashAttention (Dao et al. 2022): nothing of size [tokens × tokens] is stored.
//
//   s_ij = scale q_i·k_j,  p_ij = exp(s_ij - lse_i),  o_i = Σ_j m_ij p_ij v_j    (m: dropout's factors)
//   backward, with p recomputed from lse:  dp_ij = m_ij do_i·v_j,  delta_i = do_i·o_i,
//   ds_ij = p_ij (dp_ij - delta_i),  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i,
//   dv_j = Σ_i m_ij p_ij do_i
//
// This is what attention_workgroup.wgsl and attention_subgroup.wgsl share; it is prepended to each. Sizes
// and columns are in vec4s. sentences[i] = (first, last) are the rows of token i's sentence; rows that only
// fill up the batch come last, have an empty range and get zeros, so that they add to no gradient.
// What is read may come from textures: see texture.ts.

struct Params {
  rows: u32,
  heads: u32,
  scale: f32,
  site: u32,
  threshold: u32,
  keep: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sentences: array<vec2u>; // [rows]
@group(0) @binding(2) var<storage, read> projections: array<Vector>; // query, key and value: [3, rows, heads · head size]
@group(0) @binding(3) var<storage, read> doutput: array<Vector>;
@group(0) @binding(4) var<storage, read> result: array<Vector>; // what the forward pass wrote to output
@group(0) @binding(5) var<storage, read_write> output: array<Vector>; // [rows, heads · head size]
@group(0) @binding(6) var<storage, read_write> lse: array<f32>; // [rows, heads]
@group(0) @binding(7) var<storage, read_write> delta: array<f32>; // [rows, heads]
@group(0) @binding(8) var<storage, read_write> dprojections: array<Vector>; // as projections

const QUERY = 0u;
const KEY = 1u;
const VALUE = 2u;

fn indexOf(row: u32, column: u32) -> u32 {
  return row * params.heads * $D + column;
}

fn load(which: u32, row: u32, column: u32) -> vec4f {
  let line = which * params.rows + row;
  let width = params.heads * $D;
  return loadVector(projections[line * width + column]);
}

fn loadDoutput(row: u32, column: u32) -> vec4f {
  let width = params.heads * $D;
  return loadVector(doutput[row * width + column]);
}

fn loadResult(row: u32, column: u32) -> vec4f {
  let width = params.heads * $D;
  return loadVector(result[row * width + column]);
}

// Dropout's draws for query row i and the keys 4n to 4n + 3 of its sentence.
fn drawsOf(i: u32, head: u32, n: u32) -> vec2u {
  return dropoutDraws(params.site, vec2u((random.first.x + i) * params.heads + head, n));
}

// Dropout's factors for query row i and the four keys of its sentence among which the j-th is: at j % 4.
fn factorsOf(i: u32, head: u32, j: u32) -> vec4f {
  if (params.threshold == 0) { return vec4f(1); }
  return factorsFrom(drawsOf(i, head, j / 4), params.threshold, params.keep);
}

fn sumOf(v: vec4f) -> f32 {
  return dot(v, vec4f(1));
}
