// Rows of a table: y[t] = table[ids[t]], and backward dtable[r] += Σ_{t: ids[t] = r} dy[t].
//
// The backward pass needs no atomics: the host groups the tokens by row (`slots`), and one invocation
// sums a row's tokens in their order, the same every time. There are as many slots as tokens, so that a launch
// does not depend on how many rows are distinct; those that are left over are empty. A table above the binding limit is bound in
// pieces: [firstRow, firstRow + tableRows) is the piece bound now, other rows are left alone.

struct Params {
  count: u32, // tokens
  columns: u32, // in vec4s
  firstRow: u32,
  tableRows: u32,
}

struct Slot {
  row: u32,
  first: u32, // into `order`
  last: u32, // exclusive
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> table: array<TableVector>;
@group(0) @binding(2) var<storage, read> ids: array<u32>; // [tokens]
@group(0) @binding(3) var<storage, read_write> y: array<Vector>; // [tokens, columns]
@group(0) @binding(4) var<storage, read> slots: array<Slot>;
@group(0) @binding(5) var<storage, read> order: array<u32>; // tokens, grouped by row
@group(0) @binding(6) var<storage, read> dy: array<Vector>; // [tokens, columns]
@group(0) @binding(7) var<storage, read_write> dtable: array<TableVector>;

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count * params.columns; i += groups.x * 64) {
    let row = ids[i / params.columns] - params.firstRow; // wraps to a large number below the piece
    if (row < params.tableRows) {
      y[i] = storeVector(loadTableVector(table[row * params.columns + i % params.columns]));
    }
  }
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < params.count * params.columns; i += groups.x * 64) {
    let slot = slots[i / params.columns];
    let column = i % params.columns;
    let row = slot.row - params.firstRow;
    if (row < params.tableRows && slot.last > slot.first) {
      var sum = vec4f();
      for (var t = slot.first; t < slot.last; t++) { sum += loadVector(dy[order[t] * params.columns + column]); }
      let at = row * params.columns + column;
      dtable[at] = storeTableVector(loadTableVector(dtable[at]) + sum);
    }
  }
}
