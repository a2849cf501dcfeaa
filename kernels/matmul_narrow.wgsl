// Matrix product with few columns and a long inner size, C[m, n] = (C[m, n] +) Σ_k A[m, k] B[k, n], with free
// strides: LoRA's dy B and dyᵀ u, a classifier. Such a result has fewer values than a GPU has invocations, so a
// workgroup shares the sum over k of one of them (split-k) and adds the shares in a fixed order. An invocation
// makes 8 columns at a time; columns beyond the last repeat it and are not stored.
//
//   along_inner   A's rows lie along k (NT, NN): 64 invocations side by side along k, a row of C a workgroup
//   along_rows    A's rows lie along m (TN): 16 side by side along m, and 16 shares of k

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,
  accumulate: u32,
  aRow: u32, // A[m, k] = a[m · aRow + k · aInner]
  aInner: u32,
  bInner: u32, // B[k, n] = b[k · bInner + n · bColumn]
  bColumn: u32,
  hasBias: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

var<workgroup> shares: array<vec4f, 512>; // two of every invocation, at most

fn store(row: u32, column: u32, value: f32) {
  if (row >= params.rows || column >= params.columns) { return; }
  let at = row * params.columns + column;
  var sum = value;
  if (params.hasBias != 0u) { sum += bias[column]; }
  if (params.accumulate != 0u) { sum += c[at]; }
  c[at] = sum;
}

@compute @workgroup_size(64)
fn along_inner(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let first = group.z * 8;
  //: for n in 0..8
  let column$n = min(first + $n, params.columns - 1) * params.bColumn;
  var sum$n = 0.0;
  //: end
  let start = min(row, params.rows - 1) * params.aRow;
  for (var k = lane; k < params.inner; k += 64) {
    let value = a[start + k * params.aInner];
    //: for n in 0..8
    sum$n = fma(value, b[k * params.bInner + column$n], sum$n);
    //: end
  }
  shares[2 * lane] = vec4f(sum0, sum1, sum2, sum3);
  shares[2 * lane + 1] = vec4f(sum4, sum5, sum6, sum7);
  for (var half = 32u; half > 0; half /= 2) {
    workgroupBarrier();
    if (lane < half) {
      shares[2 * lane] += shares[2 * (lane + half)];
      shares[2 * lane + 1] += shares[2 * (lane + half) + 1];
    }
  }
  workgroupBarrier();
  if (lane < 8) { store(row, first + lane, shares[lane / 4][lane % 4]); }
}

@compute @workgroup_size(16, 16)
fn along_rows(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let row = group.x * 16 + local.x;
  let first = group.z * 8;
  //: for n in 0..8
  let column$n = min(first + $n, params.columns - 1) * params.bColumn;
  var sum$n = 0.0;
  //: end
  let start = min(row, params.rows - 1) * params.aRow;
  for (var k = local.y; k < params.inner; k += 16) {
    let value = a[start + k * params.aInner];
    //: for n in 0..8
    sum$n = fma(value, b[k * params.bInner + column$n], sum$n);
    //: end
  }
  let own = 2 * (local.y * 16 + local.x);
  shares[own] = vec4f(sum0, sum1, sum2, sum3);
  shares[own + 1] = vec4f(sum4, sum5, sum6, sum7);
  workgroupBarrier();
  // Share y adds up column y of the 8: the first half of the invocations finish the tile.
  if (local.y < 8) {
    var total = 0.0;
    for (var y = 0u; y < 16; y++) { total += shares[2 * (y * 16 + local.x) + local.y / 4][local.y % 4]; }
    store(row, first + local.y, total);
  }
}
