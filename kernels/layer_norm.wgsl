// LayerNorm (Ba et al. 2016) over the last dimension, one workgroup a row:
//
//   x̂ = (x - mean) · rstd,  rstd = 1/√(variance + eps),  y = γ x̂ + β
//   dx = rstd (g - mean(g) - x̂ mean(g x̂))  with g = γ dy;   dγ = Σ_rows dy x̂;   dβ = Σ_rows dy
//
// The variance is taken around the mean in a second pass: E[x²] - E[x]² would lose digits.

struct Params {
  rows: u32,
  columns: u32, // in vec4s
  eps: f32,
  shifted: u32, // whether there is a β
}

override LANES: u32 = 32; // invocations a row

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read> gamma: array<vec4f>;
@group(0) @binding(3) var<storage, read> beta: array<vec4f>;
@group(0) @binding(4) var<storage, read_write> y: array<Vector>;
@group(0) @binding(5) var<storage, read_write> statistics: array<vec2f>; // [rows]: mean, rstd
@group(0) @binding(6) var<storage, read> saved: array<vec2f>; // the same, as the backward pass reads it
@group(0) @binding(7) var<storage, read> dy: array<Vector>;
@group(0) @binding(8) var<storage, read_write> dx: array<Vector>;
@group(0) @binding(9) var<storage, read_write> dgamma: array<vec4f>; // [columns]
@group(0) @binding(10) var<storage, read_write> dbeta: array<vec4f>;

var<workgroup> parts: array<vec2f, LANES>;

// Every invocation's sum of all parts, in a fixed order.
fn sumOverRow(lane: u32, part: vec2f) -> vec2f {
  parts[lane] = part;
  workgroupBarrier();
  var total = vec2f();
  for (var i = 0u; i < LANES; i++) { total += parts[i]; }
  workgroupBarrier();
  return total;
}

fn sumOf(v: vec4f) -> f32 {
  return dot(v, vec4f(1));
}

@compute @workgroup_size(LANES)
fn forward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  if (row >= params.rows) { return; }
  let start = row * params.columns;
  let size = f32(params.columns * 4);
  var sum = 0.0;
  for (var i = lane; i < params.columns; i += LANES) { sum += sumOf(loadVector(x[start + i])); }
  let mean = sumOverRow(lane, vec2f(sum, 0)).x / size;
  var squares = 0.0;
  for (var i = lane; i < params.columns; i += LANES) {
    let centred = loadVector(x[start + i]) - mean;
    squares += dot(centred, centred);
  }
  let rstd = inverseSqrt(sumOverRow(lane, vec2f(squares, 0)).x / size + params.eps);
  for (var i = lane; i < params.columns; i += LANES) {
    let shift = select(vec4f(), beta[i], params.shifted != 0);
    y[start + i] = storeVector(fma((loadVector(x[start + i]) - mean) * rstd, gamma[i], shift));
  }
  if (lane == 0) { statistics[row] = vec2f(mean, rstd); }
}

@compute @workgroup_size(LANES)
fn backward(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  if (row >= params.rows) { return; }
  let start = row * params.columns;
  let mean = saved[row].x;
  let rstd = saved[row].y;
  var sums = vec2f(); // of g and of g x̂
  for (var i = lane; i < params.columns; i += LANES) {
    let g = loadVector(dy[start + i]) * gamma[i];
    sums += vec2f(sumOf(g), dot(g, (loadVector(x[start + i]) - mean) * rstd));
  }
  let means = sumOverRow(lane, sums) / f32(params.columns * 4);
  for (var i = lane; i < params.columns; i += LANES) {
    let normalised = (loadVector(x[start + i]) - mean) * rstd;
    let g = loadVector(dy[start + i]) * gamma[i];
    dx[start + i] = storeVector(rstd * (g - means.x - normalised * means.y));
  }
}

// What rows share in the gradients of γ and β: 16 column vectors a workgroup, for each of which 16
// invocations share the rows and the shares are added in order.
var<workgroup> shares: array<vec4f, 512>; // [γ or β][share][vector]

@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = min(id.x, params.columns - 1);
  var scaleShare = vec4f();
  var shiftShare = vec4f();
  for (var row = local.y; row < params.rows; row += 16) {
    let at = row * params.columns + column;
    scaleShare += loadVector(dy[at]) * (loadVector(x[at]) - saved[row].x) * saved[row].y;
    shiftShare += loadVector(dy[at]);
  }
  shares[local.y * 16 + local.x] = scaleShare;
  shares[256 + local.y * 16 + local.x] = shiftShare;
  workgroupBarrier();
  if (local.y < 2 && id.x < params.columns) {
    var total = vec4f();
    for (var y = 0u; y < 16; y++) { total += shares[local.y * 256 + y * 16 + local.x]; }
    if (local.y == 0) { dgamma[id.x] += total; } else { dbeta[id.x] += total; }
  }
}
