// Scaled dot-product attention within packed sentences (Vaswani et al. 2017), with the running softmax
// of FlashAttention (Dao et al. 2022): nothing of size [tokens × tokens] is stored.
//
//   s_ij = scale q_i·k_j,  p_ij = exp(s_ij - lse_i),  o_i = Σ_j m_ij p_ij v_j    (m: dropout's factors)
//   backward, with p recomputed from lse:  dp_ij = m_ij do_i·v_j,  delta_i = do_i·o_i,
//   ds_ij = p_ij (dp_ij - delta_i),  dq_i = scale Σ_j ds_ij k_j,  dk_j = scale Σ_i ds_ij q_i,
//   dv_j = Σ_i m_ij p_ij do_i
//
// One invocation a token and head; its vectors lie in registers, GROUPS·LANES vec4s, hence the unrolled
// text. sentences[i] = (first, last) are the rows of token i's sentence; a row that only fills up the
// batch has an empty range and gets zeros, so that it adds to no gradient.
//
// With BROADCAST a subgroup's invocations, which are neighbouring tokens, walk through the rows of all
// their sentences together: each loads its share of a row and hands it round. Where a load is dear
// (llvmpipe) that is several times as fast, though rows of a neighbouring sentence are passed over.

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
  let element = vec2u(i * params.heads + head, j / 4);
  return dropoutFactors(params.site, element, params.threshold, params.keep)[j % 4];
}

// The rows to walk through: those of the own sentence, or of all the subgroup's.
fn range(sentence: vec2u) -> vec2u {
  //: if BROADCAST
  return vec2u(subgroupMin(sentence.x), subgroupMax(sentence.y));
  //: else
  return sentence;
  //: end
}

fn within(row: u32, sentence: vec2u) -> bool {
  return row >= sentence.x && row < sentence.y;
}

// Invocations beyond the last row repeat it: a subgroup needs all of them.
fn clampRow(row: u32) -> u32 {
  return min(row, params.rows - 1);
}

@compute @workgroup_size($WORKGROUP)
fn forward(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let i = clampRow(id.x);
  let head = id.y;
  let width = params.heads * $D;
  let at = i * width + head * $D;
  let sentence = sentences[i];
  let rows = range(sentence);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let q$g_$l = query[at + $g * $LANES + $l] * params.scale;
  var o$g_$l = vec4f();
  //: end
  //: end
  var highest = -3.0e38;
  var sum = 0.0;
  for (var j = rows.x; j < rows.y; j++) {
    let other = j * width + head * $D;
    var score = 0.0;
    //: for g in 0..GROUPS
    //: if BROADCAST
    let key$g = key[other + $g * $LANES + lane];
    let value$g = value[other + $g * $LANES + lane];
    //: end
    //: for l in 0..LANES
    //: if BROADCAST
    score += dot(q$g_$l, subgroupBroadcast(key$g, u32($l)));
    //: else
    score += dot(q$g_$l, key[other + $g * $LANES + $l]);
    //: end
    //: end
    //: end
    let inside = within(j, sentence);
    let next = select(highest, max(highest, score), inside);
    let shrink = exp(highest - next);
    let weight = select(0.0, exp(score - next), inside);
    highest = next;
    sum = sum * shrink + weight;
    let kept = weight * factor(i, head, j - sentence.x);
    //: for g in 0..GROUPS
    //: for l in 0..LANES
    //: if BROADCAST
    o$g_$l = o$g_$l * shrink + kept * subgroupBroadcast(value$g, u32($l));
    //: else
    o$g_$l = o$g_$l * shrink + kept * value[other + $g * $LANES + $l];
    //: end
    //: end
    //: end
  }
  let normalise = select(0.0, 1 / sum, sentence.x < sentence.y);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  output[at + $g * $LANES + $l] = o$g_$l * normalise;
  //: end
  //: end
  lse[i * params.heads + head] = highest + log(max(sum, 1e-30));
}

@compute @workgroup_size($WORKGROUP)
fn backward_query(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let i = clampRow(id.x);
  let head = id.y;
  let width = params.heads * $D;
  let at = i * width + head * $D;
  let sentence = sentences[i];
  let rows = range(sentence);
  var rowDelta = 0.0;
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let q$g_$l = query[at + $g * $LANES + $l] * params.scale;
  let do$g_$l = doutput[at + $g * $LANES + $l];
  rowDelta += dot(do$g_$l, output[at + $g * $LANES + $l]);
  var dq$g_$l = vec4f();
  //: end
  //: end
  let rowLse = lse[i * params.heads + head];
  delta[i * params.heads + head] = rowDelta;
  for (var j = rows.x; j < rows.y; j++) {
    let other = j * width + head * $D;
    var score = 0.0;
    var dp = 0.0;
    //: for g in 0..GROUPS
    //: if BROADCAST
    let key$g = key[other + $g * $LANES + lane];
    let value$g = value[other + $g * $LANES + lane];
    //: end
    //: for l in 0..LANES
    //: if BROADCAST
    let k$g_$l = subgroupBroadcast(key$g, u32($l));
    let v$g_$l = subgroupBroadcast(value$g, u32($l));
    //: else
    let k$g_$l = key[other + $g * $LANES + $l];
    let v$g_$l = value[other + $g * $LANES + $l];
    //: end
    score += dot(q$g_$l, k$g_$l);
    dp += dot(do$g_$l, v$g_$l);
    //: end
    //: end
    let p = select(0.0, exp(score - rowLse), within(j, sentence));
    let ds = p * (dp * factor(i, head, j - sentence.x) - rowDelta);
    //: for g in 0..GROUPS
    //: for l in 0..LANES
    dq$g_$l += ds * k$g_$l;
    //: end
    //: end
  }
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  dquery[at + $g * $LANES + $l] = dq$g_$l * params.scale;
  //: end
  //: end
}

// Runs after backward_query, whose delta it reads.
@compute @workgroup_size($WORKGROUP)
fn backward_key_value(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let j = clampRow(id.x);
  let head = id.y;
  let width = params.heads * $D;
  let at = j * width + head * $D;
  let sentence = sentences[j];
  let rows = range(sentence);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let k$g_$l = key[at + $g * $LANES + $l] * params.scale;
  let v$g_$l = value[at + $g * $LANES + $l];
  var dk$g_$l = vec4f();
  var dv$g_$l = vec4f();
  //: end
  //: end
  for (var i = rows.x; i < rows.y; i++) {
    let other = i * width + head * $D;
    var score = 0.0;
    var dp = 0.0;
    //: for g in 0..GROUPS
    //: if BROADCAST
    let query$g = query[other + $g * $LANES + lane];
    let doutput$g = doutput[other + $g * $LANES + lane];
    //: end
    //: for l in 0..LANES
    //: if BROADCAST
    let q$g_$l = subgroupBroadcast(query$g, u32($l));
    let do$g_$l = subgroupBroadcast(doutput$g, u32($l));
    //: else
    let q$g_$l = query[other + $g * $LANES + $l];
    let do$g_$l = doutput[other + $g * $LANES + $l];
    //: end
    score += dot(k$g_$l, q$g_$l);
    dp += dot(v$g_$l, do$g_$l);
    //: end
    //: end
    let p = select(0.0, exp(score - lse[i * params.heads + head]), within(i, sentence));
    let kept = factor(i, head, j - sentence.x);
    let ds = p * (dp * kept - delta[i * params.heads + head]);
    //: for g in 0..GROUPS
    //: for l in 0..LANES
    dk$g_$l += ds * q$g_$l;
    dv$g_$l += p * kept * do$g_$l;
    //: end
    //: end
  }
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  dkey[at + $g * $LANES + $l] = dk$g_$l * params.scale;
  dvalue[at + $g * $LANES + $l] = dv$g_$l;
  //: end
  //: end
}
