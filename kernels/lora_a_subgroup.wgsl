// The kernels of lora_a.wgsl, with what is loaded handed round in a subgroup, for the adapters of attention_subgroup.wgsl:
// the RANKS invocations of a subgroup load one rank's share each. That takes a quarter of the time there.
// Declarations, helpers and formulas are those of lora_a.wgsl.

// RANKS ranks of a layer for a token.
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
    let kept = loadVector(x[at]) * factors(layer, at);
    let own = factor(layer, k, first + lane);
    //: for r in 0..RANKS
    sum$r += dot(kept, subgroupBroadcast(own, u32($r)));
    //: end
  }
  //: for r in 0..RANKS
  if (first + $r < params.rank) { u[lowElement(layer, row, first + $r)] = params.scale * sum$r; }
  //: end
}

// One invocation a column vector and four tokens.
@compute @workgroup_size($RANKS)
fn input_gradient(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
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
      //: for t in 0..4
      let own$t = low(z, row$t, first + lane);
      //: end
      //: for r in 0..RANKS
      {
        let a = select(vec4f(), factor(z, column, first + $r), first + $r < params.rank);
        //: for t in 0..4
        part$t += subgroupBroadcast(own$t, u32($r)) * a;
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
    if (id.y * 4 + $t < params.rows) {
      let at = row$t * params.columns + column;
      dx[at] = storeVector(loadVector(dx[at]) + params.scale * sum$t);
    }
    //: end
  }
}

// RANKS ranks of a layer for a column vector, over all tokens in order.
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
    let kept = params.scale * loadVector(x[at]) * factors(layer, at);
    let own = low(layer, row, first + lane);
    //: for r in 0..RANKS
    sum$r += subgroupBroadcast(own, u32($r)) * kept;
    //: end
  }
  if (id.x < params.columns) {
    //: for r in 0..RANKS
    if (first + $r < params.rank) { addToFactor(layer, column, first + $r, sum$r); }
    //: end
  }
}
