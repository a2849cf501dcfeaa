// The kernels of lora_b.wgsl, with what is loaded handed round in a subgroup, for the adapters of attention_subgroup.wgsl:
// the RANKS invocations of a subgroup load one rank's share each. That takes a quarter of the time there.
// Declarations, helpers and formulas are those of lora_b.wgsl.

// RANKS ranks of a layer for a token.
@compute @workgroup_size($RANKS)
fn output_gradient(
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
    let gradient = wide(layer, row, k, 1);
    let own = factor(layer, k, first + lane);
    //: for r in 0..RANKS
    sum$r += dot(gradient, subgroupBroadcast(own, u32($r)));
    //: end
  }
  //: for r in 0..RANKS
  if (first + $r < params.rank) { du[lowElement(layer, row, first + $r)] = sum$r; }
  //: end
}

// RANKS ranks of a layer for four outputs, over all tokens in order.
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
    let value = wide(layer, row, column, 1);
    let own = low(layer, row, first + lane);
    //: for r in 0..RANKS
    sum$r += subgroupBroadcast(own, u32($r)) * value;
    //: end
  }
  //: for r in 0..RANKS
  if (id.x < params.columns && first + $r < params.rank) { addToFactor(layer, id.x, first + $r, sum$r); }
  //: end
}
