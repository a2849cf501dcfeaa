// Dropout (Srivastava et al. 2014), inverted: y = x ⊙ m/(1 - p), and dx = dy ⊙ m/(1 - p) with the same
// mask m, drawn again: one entry point is forward and backward.

struct Params {
  count: u32, // vec4s
  first: u32, // index of this piece's first vec4 in the whole tensor
  rows_of: u32, // what a row is of: 0 a token, 1 a sentence
  columns: u32, // in vec4s
  site: u32,
  threshold: u32,
  keep: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read_write> y: array<Vector>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let first = params.first + random.first[params.rows_of] * params.columns;
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let value = loadVector(x[i]);
    let factors = dropoutFactors(params.site, vec2u(first + i, 0), params.threshold, params.keep);
    y[i] = storeVector(value * factors);
  }
}
