// tanh: y = tanh(x), dx = dy (1 - y²). The argument is clamped because some drivers compute
// (e²ˣ - 1)/(e²ˣ + 1) and overflow; at 10 the result is 1 in f32.

struct Params {
  count: u32, // vec4s
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read_write> y: array<Vector>;
@group(0) @binding(5) var<storage, read> result: array<Vector>; // y, as the backward pass reads it
@group(0) @binding(3) var<storage, read> dy: array<Vector>;
@group(0) @binding(4) var<storage, read_write> dx: array<Vector>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    y[i] = storeVector(tanh(clamp(loadVector(x[i]), vec4f(-10), vec4f(10))));
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let t = loadVector(result[i]);
    dx[i] = storeVector(loadVector(dy[i]) * (1 - t * t));
  }
}
