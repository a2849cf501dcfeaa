// LoRA's narrow products, with dropout drawn inside. The rest of y = x Wᵀ + b + s (dropout(x) Aᵀ) Bᵀ and
// of its gradient are products of matmul.wgsl.
//
//   project          u = s · dropout(x) Aᵀ         [tokens, rank]
//   input_gradient   dx = s · dropout'(du A)       [tokens, in]; matmul then adds dy W
//   gradient         dA += s · duᵀ dropout(x)      [rank, in]
//
// with du = dy B. As u holds the scale s, B's gradient is dyᵀ u.

struct Params {
  rows: u32, // tokens
  columns: u32, // in, in vec4s
  rank: u32,
  scale: f32,
  site: u32,
  threshold: u32,
  keep: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [tokens, in]
@group(0) @binding(2) var<storage, read> loraA: array<vec4f>; // [rank, in]
@group(0) @binding(3) var<storage, read_write> u: array<f32>; // [tokens, rank]
@group(0) @binding(4) var<storage, read> du: array<f32>; // [tokens, rank]
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>; // [tokens, in]
@group(0) @binding(6) var<storage, read_write> dloraA: array<vec4f>; // [rank, in]

fn factors(at: u32) -> vec4f {
  if (params.threshold == 0) { return vec4f(1); }
  return dropoutFactors(params.site, vec2u(at, 0), params.threshold, params.keep);
}

// One invocation a token and four ranks; the last ones may be short.
@compute @workgroup_size(8, 8)
fn project(@builtin(global_invocation_id) id: vec3u) {
  let row = id.x;
  let first = id.y * 4;
  if (row >= params.rows || first >= params.rank) { return; }
  let last = params.rank - 1;
  var sum = vec4f();
  for (var k = 0u; k < params.columns; k++) {
    let at = row * params.columns + k;
    let kept = x[at] * factors(at);
    sum += vec4f(
      dot(kept, loraA[first * params.columns + k]),
      dot(kept, loraA[min(first + 1, last) * params.columns + k]),
      dot(kept, loraA[min(first + 2, last) * params.columns + k]),
      dot(kept, loraA[min(first + 3, last) * params.columns + k]),
    );
  }
  for (var r = first; r < min(first + 4, params.rank); r++) {
    u[row * params.rank + r] = params.scale * sum[r - first];
  }
}

@compute @workgroup_size(8, 8)
fn input_gradient(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) { return; }
  var sum = vec4f();
  for (var r = 0u; r < params.rank; r++) {
    sum += du[row * params.rank + r] * loraA[r * params.columns + column];
  }
  let at = row * params.columns + column;
  dx[at] = params.scale * sum * factors(at);
}

// One invocation a column vector and four ranks, over all tokens in order.
@compute @workgroup_size(64)
fn gradient(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  let first = id.y * 4;
  if (column >= params.columns || first >= params.rank) { return; }
  let last = params.rank - 1;
  var sum0 = vec4f();
  var sum1 = vec4f();
  var sum2 = vec4f();
  var sum3 = vec4f();
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.columns + column;
    let kept = params.scale * x[at] * factors(at);
    let start = row * params.rank;
    sum0 += du[start + first] * kept;
    sum1 += du[start + min(first + 1, last)] * kept;
    sum2 += du[start + min(first + 2, last)] * kept;
    sum3 += du[start + min(first + 3, last)] * kept;
  }
  let at = first * params.columns + column;
  dloraA[at] += sum0;
  if (first + 1 < params.rank) { dloraA[at + params.columns] += sum1; }
  if (first + 2 < params.rank) { dloraA[at + 2 * params.columns] += sum2; }
  if (first + 3 < params.rank) { dloraA[at + 3 * params.columns] += sum3; }
}
