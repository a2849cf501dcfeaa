// Sum over rows, for the gradients of biases and of LayerNorm's scale and shift: blocks of rows first,
// then the blocks in order, so that the result does not depend on the scheduling.

struct Params {
  rows: u32,
  columns: u32,
  rowsPerBlock: u32,
  accumulate: u32, // sum += instead of sum =
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read_write> sum: array<f32>; // [blocks, columns]

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let column = id.x;
  if (column >= params.columns) { return; }
  let first = id.y * params.rowsPerBlock;
  let last = min(first + params.rowsPerBlock, params.rows);
  var total = 0.0;
  for (var row = first; row < last; row++) {
    total += x[row * params.columns + column];
  }
  let at = id.y * params.columns + column;
  if (params.accumulate != 0u) { total += sum[at]; }
  sum[at] = total;
}
