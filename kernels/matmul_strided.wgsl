// Matrix product of any shape, C[m, n] = (C[m, n] +) Σ_k A[m, k] B[k, n], with free strides in place of
// transposes: the plain kernel for what the tiled kernels' vec4 loads cannot reach, such as a classifier of
// 13 classes or LoRA of rank 3.

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

@compute @workgroup_size(8, 8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let row = id.y;
  let column = id.x;
  if (row >= params.rows || column >= params.columns) { return; }
  var sum = 0.0;
  var i = row * params.aRow;
  var j = column * params.bColumn;
  for (var k = 0u; k < params.inner; k++) {
    sum = fma(a[i], b[j], sum);
    i += params.aInner;
    j += params.bInner;
  }
  let at = row * params.columns + column;
  if (params.hasBias != 0u) { sum += bias[column]; }
  if (params.accumulate != 0u) { sum += c[at]; }
  c[at] = sum;
}
