// The norms of the rows of a weight with LoRA's part added: norms[o] = ‖W[o] + s Σ_r B[o, r] A[r]‖, without making
// the sum. A workgroup takes a row and shares its columns; the shares are added in a fixed order.

struct Params {
  rows: u32, // out
  columns: u32, // in, in vec4s
  rank: u32,
  scale: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> weight: array<Vector>; // [out, in]
@group(0) @binding(2) var<storage, read> loraA: array<vec4f>; // [rank, in]
@group(0) @binding(3) var<storage, read> loraB: array<f32>; // [out, rank]
@group(0) @binding(4) var<storage, read_write> norms: array<f32>; // [out]

var<workgroup> shares: array<f32, 64>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  if (row >= params.rows) { return; }
  var squares = 0.0;
  for (var k = lane; k < params.columns; k += 64) {
    var update = vec4f();
    for (var r = 0u; r < params.rank; r++) {
      update = fma(vec4f(loraB[row * params.rank + r]), loraA[r * params.columns + k], update);
    }
    let own = loadVector(weight[row * params.columns + k]);
    let sum = own + params.scale * update;
    squares += dot(sum, sum);
  }
  shares[lane] = squares;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  if (lane == 0) { norms[row] = sqrt(shares[0]); }
}
