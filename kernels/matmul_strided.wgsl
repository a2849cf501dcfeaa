// Matrix product of any shape, C[m, n] = (C[m, n] +) Σ_k A[m, k] B[k, n], with free strides in place of
// transposes: for what the tiled kernels' vec4 loads cannot reach, such as a classifier of 13 classes or LoRA
// of rank 3.
//
//   main    an invocation a value
//   split   for few columns and a long inner size, whose result has fewer values than a GPU has invocations:
//           64 of them, side by side along k, share the sums of 8 columns of a row and add their shares in a
//           fixed order (split-k). Columns beyond the last repeat it and are not stored.

struct Params {
  rows: u32,
  columns: u32,
  inner: u32,
  accumulate: u32,
  aFirst: u32, // A[m, k] = a[aFirst + m · aRow + k · aInner]
  aRow: u32,
  aInner: u32,
  bFirst: u32, // B[k, n] = b[bFirst + k · bInner + n · bColumn]
  bInner: u32,
  bColumn: u32,
  cFirst: u32, // C lies row by row
  hasBias: u32,
  biasFirst: u32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;
@group(0) @binding(2) var<storage, read> b: array<f32>;
@group(0) @binding(3) var<storage, read_write> c: array<f32>;
@group(0) @binding(4) var<storage, read> bias: array<f32>;

// A finished sum on its way to memory.
fn store(row: u32, column: u32, value: f32) {
  if (row >= params.rows || column >= params.columns) { return; }
  let at = params.cFirst + row * params.columns + column;
  var sum = value;
  if (params.hasBias != 0u) { sum += bias[params.biasFirst + column]; }
  if (params.accumulate != 0u) { sum += c[at]; }
  c[at] = sum;
}

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.y >= params.rows || id.x >= params.columns) { return; }
  var sum = 0.0;
  var i = params.aFirst + id.y * params.aRow;
  var j = params.bFirst + id.x * params.bColumn;
  for (var k = 0u; k < params.inner; k++) {
    sum = fma(a[i], b[j], sum);
    i += params.aInner;
    j += params.bInner;
  }
  store(id.y, id.x, sum);
}

var<workgroup> shares: array<vec4f, 128>; // two of every invocation

@compute @workgroup_size(64)
fn split(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = group.x + group.y * 65535;
  let first = group.z * 8;
  //: for n in 0..8
  let column$n = params.bFirst + min(first + $n, params.columns - 1) * params.bColumn;
  var sum$n = 0.0;
  //: end
  let start = params.aFirst + min(row, params.rows - 1) * params.aRow;
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
