// LoRA's products with A, dropout drawn inside; lora_interface.wgsl has the sums.
//
//   project          u = s · dropout(x) Aᵀ         [tokens, rank]
//   gradient         dA += s · duᵀ dropout(x)      [rank, in]
//   input_gradient   dx += s · dropout'(du A)      [tokens, in], of all layers, to dy W, which matmul has written

@group(0) @binding(1) var<storage, read> x: array<Vector>; // [tokens, in]
@group(0) @binding(2) var<storage, read> loraA: array<vec4f>; // [layers, rank, in]
@group(0) @binding(3) var<storage, read_write> u: array<f32>; // [layers, tokens, rank]
@group(0) @binding(4) var<storage, read> du: array<f32>;
@group(0) @binding(5) var<storage, read_write> dx: array<Vector>; // [tokens, in]
@group(0) @binding(6) var<storage, read_write> dloraA: array<vec4f>; // [layers, rank, in]

fn factors(layer: u32, at: u32) -> vec4f { // dropout's
  if (params.threshold == 0) { return vec4f(1); }
  return dropoutFactors(params.site + layer, inWholeBatch(at, params.columns), params.threshold, params.keep);
}
fn wide(layer: u32, row: u32, k: u32, scale: f32) -> vec4f {
  let at = row * params.columns + k;
  return scale * loadVector(x[at]) * factors(layer, at);
}
fn elementOfA(layer: u32, k: u32, rank: u32) -> u32 {
  return (layer * params.rank + min(rank, params.rank - 1)) * params.columns + k;
}
fn factor(layer: u32, k: u32, rank: u32) -> vec4f { return loraA[elementOfA(layer, k, rank)]; }
fn addToFactor(layer: u32, k: u32, rank: u32, value: vec4f) { dloraA[elementOfA(layer, k, rank)] += value; }
fn low(layer: u32, row: u32, rank: u32) -> f32 { return du[lowElement(layer, row, rank)]; }

@compute @workgroup_size(64)
fn project(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let at = layerAndRank(group.z);
  makeNarrow(lane, at.x, min(row, params.rows - 1), at.y);
  if (row < params.rows && lane < 4 && at.y + lane < params.rank) {
    u[lowElement(at.x, row, at.y + lane)] = params.scale * shares[0][lane];
  }
}

@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  addGradient(id, local, params.scale);
}

@compute @workgroup_size(64)
fn input_gradient(@builtin(global_invocation_id) id: vec3u) { // four tokens of a column vector
  let column = min(id.x, params.columns - 1);
  //: for t in 0..4
  let row$t = min(id.y * 4 + $t, params.rows - 1);
  var sum$t = vec4f();
  //: end
  for (var layer = 0u; layer < params.layers; layer++) {
    //: for t in 0..4
    var part$t = vec4f();
    //: end
    for (var first = 0u; first < params.rank; first += $RANKS) {
      //: for r in 0..RANKS
      let a$r = select(vec4f(), factor(layer, column, first + $r), first + $r < params.rank);
      //: for t in 0..4
      part$t += low(layer, row$t, first + $r) * a$r;
      //: end
      //: end
    }
    //: for t in 0..4
    sum$t += part$t * factors(layer, row$t * params.columns + column);
    //: end
  }
  //: for t in 0..4
  if (id.x < params.columns && id.y * 4 + $t < params.rows) {
    let at = row$t * params.columns + column;
    dx[at] = storeVector(loadVector(dx[at]) + params.scale * sum$t);
  }
  //: end
}
