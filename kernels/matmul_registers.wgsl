// Matrix product, tile by tile in registers; what it computes stands in matmul_interface.wgsl.
//
// One invocation keeps a tile of GROUPS·LANES·4 rows by COLUMNS·4 columns in named registers; the
// text is unrolled by expand.ts because naga leaves indexed local arrays in memory. With
// BROADCAST the invocations of a subgroup, LANES of them at least, lie side by side along n and need the
// same rows of A: each loads a share and hands it round by subgroupBroadcast. Where a load costs
// as much as hundreds of multiply-adds, as on llvmpipe, that is 3 times as fast.

@compute @workgroup_size($X, $Y)
fn main(
  @builtin(global_invocation_id) id: vec3u,
  //: if BROADCAST
  @builtin(subgroup_invocation_id) lane: u32,
  //: end
) {
  //: if BROADCAST
  let share = lane % $LANES;
  //: end
  let row = id.y * ($GROUPS * $LANES * 4);
  let column = id.x * $COLUMNS; // in vec4s, as everything that runs along n
  let columns = params.columns / 4;
  let z = id.z;
  // No early return: lanes beyond the edge still load for their subgroup. Indices are clamped, stores guarded.
  //: for j in 0..COLUMNS
  let column$j = min(column + $j, columns - 1);
  //: end
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  //: for q in 0..4
  //: for j in 0..COLUMNS
  //: if BIAS
  var c$g_$l_$q_$j = bias[z * columns + column$j];
  //: else
  var c$g_$l_$q_$j = vec4f();
  //: end
  //: end
  //: end
  //: end
  //: end

  //: if TN
  let rows = params.rows / 4;
  //: for g in 0..GROUPS
  //: if BROADCAST
  let rows$g = min(row / 4 + $g * $LANES + share, rows - 1);
  //: else
  //: for l in 0..LANES
  let rows$g_$l = min(row / 4 + $g * $LANES + $l, rows - 1);
  //: end
  //: end
  //: end
  for (var k = 0u; k < params.inner0; k++) {
    //: for j in 0..COLUMNS
    let v$j = loadB0(k, columns, column$j);
    //: end
    //: for g in 0..GROUPS
    //: if BROADCAST
    let own$g = loadA0(z * params.inner0 + k, rows, rows$g);
    //: end
    //: for l in 0..LANES
    {
      //: if BROADCAST
      let a = subgroupBroadcast(own$g, u32($l));
      //: else
      let a = loadA0(z * params.inner0 + k, rows, rows$g_$l);
      //: end
      //: for j in 0..COLUMNS
      c$g_$l_0_$j = fma(a.xxxx, v$j, c$g_$l_0_$j);
      c$g_$l_1_$j = fma(a.yyyy, v$j, c$g_$l_1_$j);
      c$g_$l_2_$j = fma(a.zzzz, v$j, c$g_$l_2_$j);
      c$g_$l_3_$j = fma(a.wwww, v$j, c$g_$l_3_$j);
      //: end
    }
    //: end
    //: end
  }
  //: else
  //: for p in 0..PARTS
  //: if NT
  {
    //: if p
    let slot = slotOf(z);
    let inner = select(params.inner$p / 4, 0, slot == 15);
    let firstRow = slot * params.rows;
    let firstB = slot * params.columns;
    //: else
    let inner = params.inner$p / 4;
    let firstRow = 0u;
    let firstB = z * params.columns;
    //: end
  //: else
  for (var s = 0u; s < params.stack; s++) {
    let inner = params.inner$p / 4;
    let firstRow = s * params.rows;
    let firstB = s * params.inner$p;
  //: end
    //: for g in 0..GROUPS
    //: for q in 0..4
    //: if BROADCAST
    let row$g_$q = min(row + ($g * $LANES + share) * 4 + $q, params.rows - 1) + firstRow;
    //: else
    //: for l in 0..LANES
    let row$g_$l_$q = min(row + ($g * $LANES + $l) * 4 + $q, params.rows - 1) + firstRow;
    //: end
    //: end
    //: end
    //: end
    for (var k = 0u; k < inner; k++) {
      //: for g in 0..GROUPS
      //: for q in 0..4
      //: if BROADCAST
      let own$g_$q = loadA$p(row$g_$q, inner, k);
      //: for l in 0..LANES
      let a$g_$l_$q = subgroupBroadcast(own$g_$q, u32($l));
      //: end
      //: else
      //: for l in 0..LANES
      let a$g_$l_$q = loadA$p(row$g_$l_$q, inner, k);
      //: end
      //: end
      //: end
      //: end
      //: for j in 0..COLUMNS
      {
        //: for t in 0..4
        //: if NT
        let v$t = loadB$p(firstB + column$j * 4 + $t, inner, k);
        //: else
        let v$t = loadB$p(firstB + k * 4 + $t, columns, column$j);
        //: end
        //: end
        //: for g in 0..GROUPS
        //: for l in 0..LANES
        //: for q in 0..4
        //: if NT
        c$g_$l_$q_$j += vec4f(dot(a$g_$l_$q, v0), dot(a$g_$l_$q, v1), dot(a$g_$l_$q, v2), dot(a$g_$l_$q, v3));
        //: else
        c$g_$l_$q_$j = fma(a$g_$l_$q.wwww, v3, fma(a$g_$l_$q.zzzz, v2, fma(a$g_$l_$q.yyyy, v1, fma(a$g_$l_$q.xxxx, v0, c$g_$l_$q_$j))));
        //: end
        //: end
        //: end
        //: end
      }
      //: end
    }
  }
  //: end
  //: end

  //: for g in 0..GROUPS
  //: for l in 0..LANES
  //: for q in 0..4
  //: for j in 0..COLUMNS
  store(z, row + ($g * $LANES + $l) * 4 + $q, column + $j, c$g_$l_$q_$j);
  //: end
  //: end
  //: end
  //: end
}
