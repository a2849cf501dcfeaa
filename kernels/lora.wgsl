// LoRA's narrow products, with dropout drawn inside. The rest of y = x Wᵀ + b + s (dropout(x) Aᵀ) Bᵀ and
// of its gradient are products of the matmul family.
//
//   project          u = s · dropout(x) Aᵀ         [tokens, rank]
//   input_gradient   dx += s · dropout'(du A)      [tokens, in], to dy W, which matmul has written
//   gradient         dA += s · duᵀ dropout(x)      [rank, in]
//
// with du = dy B. As u holds the scale s, B's gradient is dyᵀ u.
//
// A launch may serve several layers of one input, such as query and value, whose tensors lie one after
// another: z is the layer, whose dropout site is the first one's + z; input_gradient adds up all of them.
//
// An invocation makes RANKS ranks at a time, in registers; ranks beyond the last repeat it and are not
// stored. With BROADCAST the invocations of a subgroup, of which there are RANKS, load one rank's share
// each and hand it round: on llvmpipe that takes a quarter of the time.

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

// The same for an element of u or du.
fn lowElement(z: u32, row: u32, rank: u32) -> u32 {
  return (z * params.rows + row) * params.rank + min(rank, params.rank - 1);
}

// One invocation a token and RANKS ranks of a layer.
@compute @workgroup_size($WORKGROUP)
fn project(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let row = min(id.x, params.rows - 1);
  let first = id.y * $RANKS;
  //: for r in 0..RANKS
  var sum$r = 0.0;
  //: end
  for (var k = 0u; k < params.columns; k++) {
    let at = row * params.columns + k;
    let kept = x[at] * factors(id.z, at);
    //: if BROADCAST
    let own = loraA[rowOfA(id.z, first + lane) * params.columns + k];
    //: end
    //: for r in 0..RANKS
    //: if BROADCAST
    sum$r += dot(kept, subgroupBroadcast(own, u32($r)));
    //: else
    sum$r += dot(kept, loraA[rowOfA(id.z, first + $r) * params.columns + k]);
    //: end
    //: end
  }
  //: for r in 0..RANKS
  if (first + $r < params.rank) { u[lowElement(id.z, row, first + $r)] = params.scale * sum$r; }
  //: end
}

// One invocation a column vector and four tokens.
@compute @workgroup_size($WORKGROUP)
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

// One invocation a column vector and RANKS ranks of a layer, over all tokens in order.
@compute @workgroup_size($WORKGROUP)
fn gradient(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  let column = min(id.x, params.columns - 1);
  let first = id.y * $RANKS;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = 0u; row < params.rows; row++) {
    let at = row * params.columns + column;
    let kept = params.scale * x[at] * factors(id.z, at);
    //: if BROADCAST
    let own = du[lowElement(id.z, row, first + lane)];
    //: end
    //: for r in 0..RANKS
    //: if BROADCAST
    sum$r += subgroupBroadcast(own, u32($r)) * kept;
    //: else
    sum$r += du[lowElement(id.z, row, first + $r)] * kept;
    //: end
    //: end
  }
  if (id.x < params.columns) {
    //: for r in 0..RANKS
    if (first + $r < params.rank) { dloraA[rowOfA(id.z, first + $r) * params.columns + column] += sum$r; }
    //: end
  }
}
