// What LoRA's kernels share. From a layer's wide matrix [tokens, columns], dropout(x) or dy, and its factor [rank,
// columns], A or Bᵀ, they make
//
//   narrow = wide factorᵀ        [tokens, rank]: u or du        dfactor += narrowᵀ wide        [rank, columns]
//
// A launch serves the layers of one input that have LoRA, such as query and value, whose tensors lie one after
// another; z is layer and group of RANKS ranks. Ranks beyond the last repeat it and are not stored. Both are long
// sums of few values: the invocations of a workgroup share them, and their shares are added in a fixed order.

struct Params {
  rows: u32, // tokens
  columns: u32, // of the wide matrix, in vec4s
  rank: u32,
  layers: u32, // with LoRA
  slots: u32, // the place of each of them in the stack that dy is of, four bits each
  scale: f32,
  site: u32, // dropout's of the first; the others follow
  threshold: u32,
  keep: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
var<workgroup> shares: array<vec4f, 256>;

fn layerAndRank(z: u32) -> vec2u {
  let groups = (params.rank + $RANKS - 1) / $RANKS;
  return vec2u(z / groups, z % groups * $RANKS);
}

// An element of a narrow matrix [layers, tokens, rank].
fn lowElement(layer: u32, row: u32, rank: u32) -> u32 {
  return (layer * params.rows + row) * params.rank + min(rank, params.rank - 1);
}

// Four ranks of a token's narrow row, from `first` on, into shares[0]: 64 invocations share the columns.
fn makeNarrow(lane: u32, layer: u32, row: u32, first: u32) {
  var share = vec4f();
  for (var k = lane; k < params.columns; k += 64) {
    let value = wide(layer, row, k, 1);
    //: for r in 0..4
    share[$r] += dot(value, factor(layer, k, first + $r));
    //: end
  }
  shares[lane] = share;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
}

// RANKS ranks of a column vector's dfactor: 16 invocations share the tokens, beside 15 vectors' more.
fn addGradient(id: vec3u, local: vec3u, scale: f32) {
  let column = min(id.x, params.columns - 1);
  let layer = layerAndRank(id.z).x;
  let first = layerAndRank(id.z).y;
  //: for r in 0..RANKS
  var sum$r = vec4f();
  //: end
  for (var row = local.y; row < params.rows; row += 16) {
    let value = wide(layer, row, column, scale);
    //: for r in 0..RANKS
    sum$r += low(layer, row, first + $r) * value;
    //: end
  }
  //: for r in 0..RANKS
  shares[local.y * 16 + local.x] = sum$r;
  workgroupBarrier();
  if (local.y == 0 && id.x < params.columns && first + $r < params.rank) {
    var total = vec4f();
    for (var y = 0u; y < 16; y++) { total += shares[y * 16 + local.x]; }
    addToFactor(layer, column, first + $r, total);
  }
  workgroupBarrier(); // before the shares of the next rank
  //: end
}
