// Heads of another size: y[.., head, d] = x[.., head, d], zeros where d is beyond x's size. To a larger size it pads,
// to a smaller one it cuts, and each is the other's gradient.

struct Params {
  count: u32, // values of y
  sizeX: u32,
  sizeY: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [.., heads, sizeX]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [.., heads, sizeY]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let d = i % params.sizeY;
    let at = i / params.sizeY * params.sizeX + min(d, params.sizeX - 1);
    y[i] = select(0.0, x[at], d < params.sizeX);
  }
}
