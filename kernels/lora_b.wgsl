// LoRA's narrow products with B, for the backward pass of y = x Wᵀ + b + u Bᵀ, u as lora_a.wgsl projects it:
//
//   output_gradient   du = dy B        [tokens, rank]
//   gradient          dB += dyᵀ u      [out, rank]
//
// The dy of a launch's layers are among those of a stack that may have others, such as query, key and value:
// `slots` has the place in the stack of each, four bits each. lora_interface.wgsl says how the work is cut.

struct Params {
  rows: u32, // tokens
  columns: u32, // out, in vec4s
  rank: u32,
  slots: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> dy: array<vec4f>; // [stack, tokens, out]
@group(0) @binding(2) var<storage, read> loraB: array<f32>; // [layers, out, rank]
@group(0) @binding(3) var<storage, read_write> du: array<f32>; // [layers, tokens, rank]
@group(0) @binding(4) var<storage, read> u: array<f32>; // [layers, tokens, rank]
@group(0) @binding(5) var<storage, read_write> dloraB: array<f32>; // [layers, out, rank]

// The first vec4 of a token's dy of a layer.
fn startOfDy(layer: u32, row: u32) -> u32 {
  let slot = (params.slots >> (4 * layer)) & 15;
  return (slot * params.rows + row) * params.columns;
}

// Four neighbouring outputs' values in B for a rank; beyond the last rank the last one's.
fn loadB(layer: u32, column: u32, rank: u32) -> vec4f {
  let at = (layer * params.columns + column) * 4 * params.rank + min(rank, params.rank - 1);
  return vec4f(loraB[at], loraB[at + params.rank], loraB[at + 2 * params.rank], loraB[at + 3 * params.rank]);
}

fn addToB(layer: u32, column: u32, rank: u32, value: vec4f) {
  if (column >= params.columns || rank >= params.rank) { return; }
  let at = (layer * params.columns + column) * 4 * params.rank + rank;
  //: for t in 0..4
  dloraB[at + $t * params.rank] += value[$t];
  //: end
}

// RANKS ranks of a layer for a token: one invocation, or a workgroup that shares the columns.
//: if BROADCAST
@compute @workgroup_size($RANKS)
fn output_gradient(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let row = min(id.x, params.rows - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  let start = startOfDy(layer, row);
  //: for r in 0..RANKS
  var sum$r = 0.0;
  //: end
  for (var k = 0u; k < params.columns; k++) {
    let gradient = dy[start + k];
    let own = loadB(layer, k, first + lane);
    //: for r in 0..RANKS
    sum$r += dot(gradient, subgroupBroadcast(own, u32($r)));
    //: end
  }
  //: for r in 0..RANKS
  if (first + $r < params.rank) { du[lowElement(layer, row, first + $r)] = sum$r; }
  //: end
}
//: else
@compute @workgroup_size(64)
fn output_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let layer = layerAndRank(group.z).x;
  let first = layerAndRank(group.z).y;
  let start = startOfDy(layer, min(row, params.rows - 1));
  var sums = vec4f();
  for (var k = lane; k < params.columns; k += 64) {
    let gradient = dy[start + k];
    sums += vec4f(
      dot(gradient, loadB(layer, k, first)),
      dot(gradient, loadB(layer, k, first + 1)),
      dot(gradient, loadB(layer, k, first + 2)),
      dot(gradient, loadB(layer, k, first + 3)),
    );
  }
  addShares(lane, sums);
  if (row < params.rows && lane < 4 && first + lane < params.rank) {
    du[lowElement(layer, row, first + lane)] = shares[0][lane];
  }
}
//: end

// RANKS ranks of a layer for four outputs: one invocation, over all tokens in order, or a workgroup's 16 that
// share the tokens and add their shares in order, 16 neighbouring vectors at a time.
//: if BROADCAST
@compute @workgroup_size($RANKS)
fn gradient(
  @builtin(global_invocation_id) id: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let column = min(id.x, params.columns - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  let start = startOfDy(layer, 0) + column;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = 0u; row < params.rows; row++) {
    let value = dy[start + row * params.columns];
    let own = u[lowElement(layer, row, first + lane)];
    //: for r in 0..RANKS
    sum$r += subgroupBroadcast(own, u32($r)) * value;
    //: end
  }
  //: for r in 0..RANKS
  addToB(layer, id.x, first + $r, sum$r);
  //: end
}
//: else
@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = min(id.x, params.columns - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  let start = startOfDy(layer, 0) + column;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = local.y; row < params.rows; row += 16) {
    let value = dy[start + row * params.columns];
    //: for r in 0..RANKS
    sum$r += u[lowElement(layer, row, first + $r)] * value;
    //: end
  }
  //: for r in 0..RANKS
  {
    let total = addColumnShares(local, sum$r);
    if (local.y == 0) { addToB(layer, id.x, first + $r, total); }
  }
  //: end
}
//: end
