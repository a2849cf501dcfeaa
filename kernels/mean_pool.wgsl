// The mean of each sentence's rows: y[s] = 1/n_s Σ_{t in s} x[t], and backward dx[t] = dy[s]/n_s for the rows t of s.
// A sentence is told by its first row, and by what each row knows of where its sentence begins and ends. An
// invocation takes a sentence's vec4 of columns; rows that are in no sentence keep the gradient that they have, zero.

struct Params {
  sentences: u32,
  columns: u32, // in vec4s
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // [rows, columns]
@group(0) @binding(2) var<storage, read> firstRows: array<u32>; // [sentences]
@group(0) @binding(3) var<storage, read> bounds: array<vec2u>; // [rows]: first and last (exclusive) row of the sentence
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>; // [sentences, columns]
@group(0) @binding(5) var<storage, read> dy: array<vec4f>; // [sentences, columns]
@group(0) @binding(6) var<storage, read_write> dx: array<vec4f>; // [rows, columns]

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.sentences * params.columns; i += groups.x * 64) {
    let column = i % params.columns;
    let rows = bounds[firstRows[i / params.columns]];
    var sum = vec4f();
    for (var row = rows.x; row < rows.y; row++) { sum += x[row * params.columns + column]; }
    y[i] = sum / f32(rows.y - rows.x);
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.sentences * params.columns; i += groups.x * 64) {
    let column = i % params.columns;
    let rows = bounds[firstRows[i / params.columns]];
    let share = dy[i] / f32(rows.y - rows.x);
    for (var row = rows.x; row < rows.y; row++) { dx[row * params.columns + column] = share; }
  }
}
