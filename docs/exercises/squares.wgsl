// Exercise 5: y[row] = Σ x[row, column]², one workgroup a row, as slowly as it can be. Make it twice as fast or more.
// docs/exercises/5-kernel.md

struct Params {
  rows: u32,
  columns: u32, // a multiple of 4
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read_write> y: array<f32>; // [rows]

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let row = group.x;
  var sum = 0.0;
  for (var column = 0u; column < params.columns; column++) {
    let value = x[row * params.columns + column];
    sum += value * value;
  }
  y[row] = sum;
}
