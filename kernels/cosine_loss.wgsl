// One minus the mean cosine similarity of rows to constant targets: loss = 1/rows Σ_r (1 - cos_r) with
// cos = x·t / (|x| |t|); dx = -dloss/rows (t/(|x| |t|) - cos x/|x|²). A length below 1e-8 counts as that, as in
// torch's cosine_similarity. One invocation a row, then one for the mean.

struct Params {
  rows: u32,
  columns: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> targets: array<f32>; // [rows, columns]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>; // [rows]
@group(0) @binding(4) var<storage, read_write> loss: array<f32>; // [1]
@group(0) @binding(5) var<storage, read> dloss: array<f32>; // [1]
@group(0) @binding(6) var<storage, read_write> dx: array<f32>; // [rows, columns]

struct Cosine {
  value: f32,
  length: f32, // |x|
  targetLength: f32,
}

fn cosineOf(first: u32) -> Cosine {
  var product = 0.0;
  var own = 0.0;
  var other = 0.0;
  for (var i = first; i < first + params.columns; i++) {
    product += x[i] * targets[i];
    own += x[i] * x[i];
    other += targets[i] * targets[i];
  }
  let length = max(sqrt(own), 1e-8);
  let targetLength = max(sqrt(other), 1e-8);
  return Cosine(product / length / targetLength, length, targetLength);
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  losses[id.x] = 1 - cosineOf(id.x * params.columns).value;
}

@compute @workgroup_size(1)
fn mean() {
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) { sum += losses[row]; }
  loss[0] = sum / f32(params.rows);
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.columns;
  let cosine = cosineOf(first);
  let share = -dloss[0] / f32(params.rows) / cosine.length;
  for (var i = first; i < first + params.columns; i++) {
    dx[i] = share * (targets[i] / cosine.targetLength - cosine.value * x[i] / cosine.length);
  }
}
