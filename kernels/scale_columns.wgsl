// A factor for each column: y = x ⊙ f + shift with f = factor / divisor, or factor where there is no divisor
// (DIVIDED); shift only where there is one (SHIFTED). The gradient of x is dy ⊙ f; that of the factor is
// Σ_rows dy ⊙ x / divisor; that of the shift is column_sum's. With VECTORS four columns at a time.

struct Params {
  rows: u32,
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

fn storeVector(value: f32) -> f32 {
  return value;
}
//: end

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<Vector>;
@group(0) @binding(2) var<storage, read> factor: array<Value>; // [columns]
//: if DIVIDED
@group(0) @binding(3) var<storage, read> divisor: array<Value>; // [columns]
//: end
@group(0) @binding(4) var<storage, read_write> y: array<Vector>;
@group(0) @binding(5) var<storage, read> dy: array<Vector>;
@group(0) @binding(6) var<storage, read_write> dfactor: array<Value>;
//: if SHIFTED
@group(0) @binding(7) var<storage, read> shift: array<Value>; // [columns]
//: end

fn divided(value: Value, column: u32) -> Value {
  //: if DIVIDED
  return value / divisor[column];
  //: else
  return value;
  //: end
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.rows * params.columns; i += groups.x * 64) {
    let column = i % params.columns;
    let scaled = loadVector(x[i]) * divided(factor[column], column);
    //: if SHIFTED
    y[i] = storeVector(scaled + shift[column]);
    //: else
    y[i] = storeVector(scaled);
    //: end
  }
}

var<workgroup> shares: array<Value, 256>;

// A workgroup takes 16 columns; 16 invocations share a column's rows and add their shares in order.
@compute @workgroup_size(16, 16)
fn gradient(@builtin(global_invocation_id) id: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let column = min(id.x, params.columns - 1);
  var share = Value();
  for (var row = local.y; row < params.rows; row += 16) {
    let at = row * params.columns + column;
    share += loadVector(dy[at]) * loadVector(x[at]);
  }
  shares[local.y * 16 + local.x] = share;
  workgroupBarrier();
  if (local.y == 0 && id.x < params.columns) {
    var total = Value();
    for (var part = 0u; part < 16; part++) { total += shares[part * 16 + local.x]; }
    dfactor[column] += divided(total, column);
  }
}
