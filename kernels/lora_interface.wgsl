// What LoRA's kernels share; appended to each file, whose `params` has rows, columns and rank.
//
// A launch may serve several layers of one input, such as query and value, whose tensors lie one after
// another. z is layer and group of ranks; a layer's dropout site is the first one's + its number.
//
// An invocation makes RANKS ranks at a time, in registers; ranks beyond the last repeat it and are not
// stored. Results are long sums of few values. With BROADCAST the invocations of a subgroup, of which there
// are RANKS, load one rank's share each and hand it round: on llvmpipe that takes a quarter of the time.
// Without, a workgroup shares the sums, since a GPU has more invocations than there are values.

// Layer and first rank of a launch's z.
fn layerAndRank(z: u32) -> vec2u {
  let groups = (params.rank + $RANKS - 1) / $RANKS;
  return vec2u(z / groups, z % groups * $RANKS);
}

// An element of u or du [layers, tokens, rank]; beyond the last rank the last one's.
fn lowElement(layer: u32, row: u32, rank: u32) -> u32 {
  return (layer * params.rows + row) * params.rank + min(rank, params.rank - 1);
}
//: if BROADCAST
//: else

var<workgroup> shares: array<vec4f, 256>;

// Adds the shares of 64 invocations, in a fixed order, into shares[0].
fn addShares(lane: u32, share: vec4f) {
  shares[lane] = share;
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) { shares[lane] += shares[lane + half]; }
  }
  workgroupBarrier();
}

// The sum of a column's 16 shares, in order, in a workgroup of 16 × 16.
fn addColumnShares(local: vec3u, share: vec4f) -> vec4f {
  workgroupBarrier(); // the shares before are done with
  shares[local.y * 16 + local.x] = share;
  workgroupBarrier();
  var total = vec4f();
  for (var y = 0u; y < 16; y++) { total += shares[y * 16 + local.x]; }
  return total;
}
//: end
