// Softmax over the last dimension, one workgroup a row: y_i = exp(x_i - max x) / Σ_j exp(x_j - max x);
// dx_i = y_i (dy_i - Σ_j y_j dy_j). An invocation goes over its share of the row with a running maximum and the
// sum for it (Milakov and Gimelshein 2018), so that the row is read twice in all.

struct Params {
  rows: u32,
  columns: u32,
}

override LANES: u32 = 32; // invocations a row

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;
@group(0) @binding(3) var<storage, read> result: array<f32>; // y, as the backward pass reads it
@group(0) @binding(4) var<storage, read> dy: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;

var<workgroup> parts: array<vec2f, LANES>;

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  if (row >= params.rows) { return; }
  let start = row * params.columns;
  var highest = -3.4028234e38;
  var sum = 0.0; // of exp(x - highest)
  for (var i = lane; i < params.columns; i += LANES) {
    let value = x[start + i];
    let higher = max(highest, value);
    sum = sum * exp(highest - higher) + exp(value - higher);
    highest = higher;
  }
  parts[lane] = vec2f(highest, sum);
  workgroupBarrier();
  for (var i = 0u; i < LANES; i++) { highest = max(highest, parts[i].x); }
  sum = 0.0;
  for (var i = 0u; i < LANES; i++) { sum += parts[i].y * exp(parts[i].x - highest); }
  for (var i = lane; i < params.columns; i += LANES) { y[start + i] = exp(x[start + i] - highest) / sum; }
}

@compute @workgroup_size(LANES)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  if (row >= params.rows) { return; }
  let start = row * params.columns;
  var share = 0.0;
  for (var i = lane; i < params.columns; i += LANES) { share += result[start + i] * dy[start + i]; }
  parts[lane] = vec2f(share, 0);
  workgroupBarrier();
  var sum = 0.0;
  for (var i = 0u; i < LANES; i++) { sum += parts[i].x; }
  for (var i = lane; i < params.columns; i += LANES) {
    dx[start + i] = result[start + i] * (dy[start + i] - sum);
  }
}
