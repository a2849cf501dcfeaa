// LoRA's narrow products with A, dropout drawn inside. The rest of y = x Wᵀ + b + s (dropout(x) Aᵀ) Bᵀ is a
// product of the matmul family, and so is dy W of its gradient; lora_b.wgsl makes du = dy B.
//
//   project          u = s · dropout(x) Aᵀ         [tokens, rank]
//   input_gradient   dx += s · dropout'(du A)      [tokens, in], to dy W, which matmul has written
//   gradient         dA += s · duᵀ dropout(x)      [rank, in]
//
// input_gradient adds up all of a launch's layers. lora_interface.wgsl says how the work is cut.

struct Params {
  rows: u32, // tokens
  columns: u32, // in, in vec4s
  rank: u32,
  scale: f32,
  site: u32,
  threshold: u32,
  keep: f32,
  layers: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [tokens, in]
@group(0) @binding(2) var<storage, read> loraA: array<vec4f>; // [layers, rank, in]
@group(0) @binding(3) var<storage, read_write> u: array<f32>; // [layers, tokens, rank]
@group(0) @binding(4) var<storage, read> du: array<f32>; // [layers, tokens, rank]
@group(0) @binding(5) var<storage, read_write> dx: array<vec4f>; // [tokens, in]
@group(0) @binding(6) var<storage, read_write> dloraA: array<vec4f>; // [layers, rank, in]

fn factors(z: u32, at: u32) -> vec4f {
  if (params.threshold == 0) { return vec4f(1); }
  return dropoutFactors(params.site + z, vec2u(at, 0), params.threshold, params.keep);
}

// The row of layer z's A for a rank; beyond the last rank the last one's.
fn rowOfA(z: u32, rank: u32) -> u32 {
  return z * params.rank + min(rank, params.rank - 1);
}

// RANKS ranks of a layer for a token: one invocation, or a workgroup that shares the columns.
//: if BROADCAST
@compute @workgroup_size($RANKS)
fn project(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let row = min(id.x, params.rows - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  //: for r in 0..RANKS
  var sum$r = 0.0;
  //: end
  for (var k = 0u; k < params.columns; k++) {
    let at = row * params.columns + k;
    let kept = x[at] * factors(layer, at);
    let own = loraA[rowOfA(layer, first + lane) * params.columns + k];
    //: for r in 0..RANKS
    sum$r += dot(kept, subgroupBroadcast(own, u32($r)));
    //: end
  }
  //: for r in 0..RANKS
  if (first + $r < params.rank) { u[lowElement(layer, row, first + $r)] = params.scale * sum$r; }
  //: end
}
//: else
@compute @workgroup_size(64)
fn project(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let layer = layerAndRank(group.z).x;
  let first = layerAndRank(group.z).y;
  var sums = vec4f();
  for (var k = lane; k < params.columns; k += 64) {
    let at = min(row, params.rows - 1) * params.columns + k;
    let kept = x[at] * factors(layer, at);
    sums += vec4f(
      dot(kept, loraA[rowOfA(layer, first) * params.columns + k]),
      dot(kept, loraA[rowOfA(layer, first + 1) * params.columns + k]),
      dot(kept, loraA[rowOfA(layer, first + 2) * params.columns + k]),
      dot(kept, loraA[rowOfA(layer, first + 3) * params.columns + k]),
    );
  }
  addShares(lane, sums);
  if (row < params.rows && lane < 4 && first + lane < params.rank) {
    u[lowElement(layer, row, first + lane)] = params.scale * shares[0][lane];
  }
}
//: end

// One invocation a column vector and four tokens.
@compute @workgroup_size($LANES)
fn input_gradient(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let column = min(id.x, params.columns - 1);
  //: for t in 0..4
  let row$t = min(id.y * 4 + $t, params.rows - 1);
  var sum$t = vec4f();
  //: end
  for (var z = 0u; z < params.layers; z++) {
    //: for t in 0..4
    var part$t = vec4f();
    //: end
    for (var first = 0u; first < params.rank; first += $RANKS) {
      //: if BROADCAST
      //: for t in 0..4
      let own$t = du[lowElement(z, row$t, first + lane)];
      //: end
      //: end
      //: for r in 0..RANKS
      {
        let a = select(vec4f(), loraA[rowOfA(z, first + $r) * params.columns + column], first + $r < params.rank);
        //: for t in 0..4
        //: if BROADCAST
        part$t += subgroupBroadcast(own$t, u32($r)) * a;
        //: else
        part$t += du[lowElement(z, row$t, first + $r)] * a;
        //: end
        //: end
      }
      //: end
    }
    //: for t in 0..4
    sum$t += part$t * factors(z, row$t * params.columns + column);
    //: end
  }
  // Unlike a store, an addition must not be made twice: what is beyond the last row or column leaves.
  if (id.x < params.columns) {
    //: for t in 0..4
    if (id.y * 4 + $t < params.rows) { dx[row$t * params.columns + column] += params.scale * sum$t; }
    //: end
  }
}

// RANKS ranks of a layer for a column vector: one invocation, over all tokens in order, or a workgroup's 16
// that share the tokens and add their shares in order, 16 neighbouring vectors at a time.
//: if BROADCAST
@compute @workgroup_size($RANKS)
fn gradient(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let column = min(id.x, params.columns - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.columns + column;
    let kept = params.scale * x[at] * factors(layer, at);
    let own = du[lowElement(layer, row, first + lane)];
    //: for r in 0..RANKS
    sum$r += subgroupBroadcast(own, u32($r)) * kept;
    //: end
  }
  if (id.x < params.columns) {
    //: for r in 0..RANKS
    if (first + $r < params.rank) { dloraA[rowOfA(layer, first + $r) * params.columns + column] += sum$r; }
    //: end
  }
}
//: else
@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = min(id.x, params.columns - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = local.y; row < params.rows; row += 16) {
    let at = row * params.columns + column;
    let kept = params.scale * x[at] * factors(layer, at);
    //: for r in 0..RANKS
    sum$r += du[lowElement(layer, row, first + $r)] * kept;
    //: end
  }
  //: for r in 0..RANKS
  {
    let total = addColumnShares(local, sum$r);
    if (local.y == 0 && id.x < params.columns && first + $r < params.rank) {
      dloraA[rowOfA(layer, first + $r) * params.columns + column] += total;
    }
  }
  //: end
}
//: end
