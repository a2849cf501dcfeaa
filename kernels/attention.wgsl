// Scaled dot-product attention within packed sentences (Vaswani et al. 2017), with the running softmax
// of FlashAttention (Dao et al. 2022): nothing of size [tokens × tokens] is stored.
//
//   s_ij = scale q_i·k_j,  p_ij = exp(s_ij - lse_i),  o_i = Σ_j m_ij p_ij v_j    (m: dropout's factors)
//   backward, with p recomputed from lse:  dp_ij = m_ij do_i·v_j,  delta_i = do_i·o_i,
//   ds_ij = p_ij (dp_ij - delta_i),  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i,
//   dv_j = Σ_i m_ij p_ij do_i
//
// One invocation a token and head. sentences[i] = (first, last) are the rows of token i's sentence;
// a row that only fills up the batch has (0, 0) and gets zeros, so that it adds to no gradient.

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
@group(0) @binding(2) var<storage, read> query: array<vec4f>; // [rows, heads, head size]
@group(0) @binding(3) var<storage, read> key: array<vec4f>;
@group(0) @binding(4) var<storage, read> value: array<vec4f>;
@group(0) @binding(5) var<storage, read_write> output: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> lse: array<f32>; // [rows, heads]
@group(0) @binding(7) var<storage, read> doutput: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> delta: array<f32>; // [rows, heads]
@group(0) @binding(9) var<storage, read_write> dquery: array<vec4f>;
@group(0) @binding(11) var<storage, read_write> dkey: array<vec4f>;
@group(0) @binding(12) var<storage, read_write> dvalue: array<vec4f>;

// Dropout's factor for query row i and the j-th key of its sentence.
fn factor(i: u32, head: u32, j: u32) -> f32 {
  if (params.threshold == 0) { return 1; }
  let factors = dropoutFactors(params.site, vec2u(i * params.heads + head, j / 4), params.threshold, params.keep);
  return factors[j % 4];
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let head = id.y;
  if (i >= params.rows) { return; }
  let width = params.heads * $D;
  let at = i * width + head * $D;
  let sentence = sentences[i];
  //: for d in 0..D
  let q$d = query[at + $d] * params.scale;
  var o$d = vec4f();
  //: end
  var highest = -3.0e38;
  var sum = 0.0;
  for (var j = sentence.x; j < sentence.y; j++) {
    let other = j * width + head * $D;
    var score = 0.0;
    //: for d in 0..D
    score += dot(q$d, key[other + $d]);
    //: end
    let next = max(highest, score);
    let shrink = exp(highest - next);
    let weight = exp(score - next);
    highest = next;
    sum = sum * shrink + weight;
    let kept = weight * factor(i, head, j - sentence.x);
    //: for d in 0..D
    o$d = o$d * shrink + kept * value[other + $d];
    //: end
  }
  let normalise = select(0.0, 1 / sum, sentence.x < sentence.y);
  //: for d in 0..D
  output[at + $d] = o$d * normalise;
  //: end
  lse[i * params.heads + head] = highest + log(max(sum, 1e-30));
}

@compute @workgroup_size(64)
fn backward_query(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  let head = id.y;
  if (i >= params.rows) { return; }
  let width = params.heads * $D;
  let at = i * width + head * $D;
  let sentence = sentences[i];
  var rowDelta = 0.0;
  //: for d in 0..D
  let q$d = query[at + $d] * params.scale;
  let do$d = doutput[at + $d];
  rowDelta += dot(do$d, output[at + $d]);
  var dq$d = vec4f();
  //: end
  let rowLse = lse[i * params.heads + head];
  delta[i * params.heads + head] = rowDelta;
  for (var j = sentence.x; j < sentence.y; j++) {
    let other = j * width + head * $D;
    var score = 0.0;
    var dp = 0.0;
    //: for d in 0..D
    let k$d = key[other + $d];
    score += dot(q$d, k$d);
    dp += dot(do$d, value[other + $d]);
    //: end
    let ds = exp(score - rowLse) * (dp * factor(i, head, j - sentence.x) - rowDelta);
    //: for d in 0..D
    dq$d += ds * k$d;
    //: end
  }
  //: for d in 0..D
  dquery[at + $d] = dq$d * params.scale;
  //: end
}

// Runs after backward_query, whose delta it reads.
@compute @workgroup_size(64)
fn backward_key_value(@builtin(global_invocation_id) id: vec3u) {
  let j = id.x;
  let head = id.y;
  if (j >= params.rows) { return; }
  let width = params.heads * $D;
  let at = j * width + head * $D;
  let sentence = sentences[j];
  //: for d in 0..D
  let k$d = key[at + $d] * params.scale;
  let v$d = value[at + $d];
  var dk$d = vec4f();
  var dv$d = vec4f();
  //: end
  for (var i = sentence.x; i < sentence.y; i++) {
    let other = i * width + head * $D;
    var score = 0.0;
    var dp = 0.0;
    //: for d in 0..D
    let q$d = query[other + $d];
    let do$d = doutput[other + $d];
    score += dot(k$d, q$d);
    dp += dot(v$d, do$d);
    //: end
    let p = exp(score - lse[i * params.heads + head]);
    let kept = factor(i, head, j - sentence.x);
    let ds = p * (dp * kept - delta[i * params.heads + head]);
    //: for d in 0..D
    dk$d += ds * q$d;
    dv$d += p * kept * do$d;
    //: end
  }
  //: for d in 0..D
  dkey[at + $d] = dk$d * params.scale;
  dvalue[at + $d] = dv$d;
  //: end
}
