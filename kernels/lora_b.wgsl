// LoRA's products with B, for the backward pass of y = x Wᵀ + b + u Bᵀ; lora_interface.wgsl has the sums.
//
//   output_gradient   du = dy B        [tokens, rank]
//   gradient          dB += dyᵀ u      [out, rank]

@group(0) @binding(1) var<storage, read> dy: array<Vector>; // [stack, tokens, out]
@group(0) @binding(2) var<storage, read> loraB: array<f32>; // [layers, out, rank]
@group(0) @binding(3) var<storage, read_write> du: array<f32>; // [layers, tokens, rank]
@group(0) @binding(4) var<storage, read> u: array<f32>;
@group(0) @binding(5) var<storage, read_write> dloraB: array<f32>; // [layers, out, rank]

fn wide(layer: u32, row: u32, k: u32, scale: f32) -> vec4f {
  let slot = (params.slots >> (4 * layer)) & 15;
  return scale * loadVector(dy[(slot * params.rows + row) * params.columns + k]);
}
// The first of four outputs' values for a rank, which lie a rank apart.
fn elementOfB(layer: u32, k: u32, rank: u32) -> u32 {
  return (layer * params.columns + k) * 4 * params.rank + min(rank, params.rank - 1);
}
fn factor(layer: u32, k: u32, rank: u32) -> vec4f {
  let at = elementOfB(layer, k, rank);
  return vec4f(loraB[at], loraB[at + params.rank], loraB[at + 2 * params.rank], loraB[at + 3 * params.rank]);
}
fn addToFactor(layer: u32, k: u32, rank: u32, value: vec4f) {
  //: for t in 0..4
  dloraB[elementOfB(layer, k, rank) + $t * params.rank] += value[$t];
  //: end
}
fn low(layer: u32, row: u32, rank: u32) -> f32 { return u[lowElement(layer, row, rank)]; }

@compute @workgroup_size(64)
fn output_gradient(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let at = layerAndRank(group.z);
  makeNarrow(lane, at.x, min(row, params.rows - 1), at.y);
  if (row < params.rows && lane < 4 && at.y + lane < params.rank) {
    du[lowElement(at.x, row, at.y + lane)] = shares[0][lane];
  }
}

@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  addGradient(id, local, 1);
}
