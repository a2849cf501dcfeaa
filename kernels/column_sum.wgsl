// Sum over rows, sum[n] += Σ_m x[m, n], for the gradients of biases; z is the matrix in a stack, as those of
// query, key and value. A workgroup takes 16 columns; 16
// invocations share a column's rows and add their shares in order, so that the result does not depend on the
// scheduling. With VECTORS, for values of 16 bits, a column is of four.

struct Params {
  rows: u32, // of one matrix
  columns: u32, // in Values
}

//: if VECTORS
alias Value = vec4f;
//: else
alias Value = f32;
alias Vector = f32;

fn loadVector(stored: f32) -> f32 {
  return stored;
}
//: end

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>; // [stack, rows, columns]
@group(0) @binding(2) var<storage, read_write> sum: array<Value>; // [stack, columns]

var<workgroup> shares: array<Value, 256>;

@compute @workgroup_size(16, 16)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = min(id.x, params.columns - 1);
  var share = Value();
  for (var row = local.y; row < params.rows; row += 16) {
    share += loadVector(x[(id.z * params.rows + row) * params.columns + column]);
  }
  shares[local.y * 16 + local.x] = share;
  workgroupBarrier();
  if (local.y == 0 && id.x < params.columns) {
    let at = id.z * params.columns + id.x;
    var total = sum[at];
    for (var y = 0u; y < 16; y++) { total += shares[y * 16 + local.x]; }
    sum[at] = total;
  }
}
