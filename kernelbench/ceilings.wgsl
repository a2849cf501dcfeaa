// What an adapter can do at most: multiply-adds that never leave registers, and a plain copy.

struct Params {
  count: u32, // multiply_add: rounds; copy: vec4s
  factor: f32,
  term: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;

// CHAINS independent chains hide the latency of a multiply-add; a round is STEPS steps of every chain. The
// factors come from outside and every component starts elsewhere, so that no compiler can fold the loop or
// share work between components; |factor| < 1 keeps the values finite.
@compute @workgroup_size(64)
fn multiply_add(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(params.factor);
  let term = vec4f(params.term);
  //: for c in 0..CHAINS
  var sum$c = f32(id.x) + vec4f($c, $c.25, $c.5, $c.75);
  //: end
  for (var round = 0u; round < params.count; round++) {
    //: for step in 0..STEPS
    //: for c in 0..CHAINS
    sum$c = fma(sum$c, factor, term);
    //: end
    //: end
  }
  var total = vec4f();
  //: for c in 0..CHAINS
  total += sum$c;
  //: end
  y[id.x] = total;
}

@compute @workgroup_size(64)
fn copy(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count; i += groups.x * 64) { y[i] = x[i]; }
}
