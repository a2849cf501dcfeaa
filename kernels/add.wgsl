// y = a + factor · b. The tape uses this kernel to sum the gradients of a tensor with several consumers.

struct Params {
  count: u32, // vec4s
  factor: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<Vector>;
@group(0) @binding(2) var<storage, read> b: array<Vector>;
@group(0) @binding(3) var<storage, read_write> y: array<Vector>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    y[i] = storeVector(loadVector(a[i]) + params.factor * loadVector(b[i]));
  }
}
