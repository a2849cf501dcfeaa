// GELU with erf, as BERT (Hendrycks and Gimpel 2016): y = x Φ(x), dx = dy (Φ(x) + x φ(x)), where
// Φ(x) = (1 + erf(x/√2))/2, from normal.wgsl, and φ(x) = exp(-x²/2)/√(2π).

struct Params {
  count: u32, // vec4s
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read_write> y: array<Vector>;
@group(0) @binding(3) var<storage, read> dy: array<Vector>;
@group(0) @binding(4) var<storage, read_write> dx: array<Vector>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let value = loadVector(x[i]);
    y[i] = storeVector(value * cumulative(value));
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let value = loadVector(x[i]);
    let density = 0.39894228 * exp(-0.5 * value * value);
    dx[i] = storeVector(loadVector(dy[i]) * (cumulative(value) + value * density));
  }
}
