// Softmax over the last dimension: y_i = exp(x_i - max x) / Σ_j exp(x_j - max x);
// dx_i = y_i (dy_i - Σ_j y_j dy_j). One invocation a row: the rows here are class scores.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> result: array<f32>; // y, as the backward pass reads it
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.columns;
  let last = first + params.columns;
  var highest = x[first];
  for (var i = first; i < last; i++) { highest = max(highest, x[i]); }
  var sum = 0.0;
  for (var i = first; i < last; i++) { sum += exp(x[i] - highest); }
  for (var i = first; i < last; i++) { y[i] = exp(x[i] - highest) / sum; }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.columns;
  let last = first + params.columns;
  var sum = 0.0;
  for (var i = first; i < last; i++) { sum += result[i] * dy[i]; }
  for (var i = first; i < last; i++) { dx[i] = result[i] * (dy[i] - sum); }
}
