// SiLU, also called swish: y = x σ(x), dx = dy σ(x) (1 + x (1 - σ(x))).

struct Params {
  count: u32, // vec4s
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read_write> y: array<Vector>;
@group(0) @binding(3) var<storage, read> dy: array<Vector>;
@group(0) @binding(4) var<storage, read_write> dx: array<Vector>;

// exp(88) is the largest that f32 holds: beyond it σ is 0 or 1 anyway.
fn sigmoid(x: vec4f) -> vec4f {
  return 1 / (1 + exp(clamp(-x, vec4f(-88), vec4f(88))));
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let value = loadVector(x[i]);
    y[i] = storeVector(value * sigmoid(value));
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let value = loadVector(x[i]);
    let s = sigmoid(value);
    dx[i] = storeVector(loadVector(dy[i]) * s * (1 + value * (1 - s)));
  }
}
