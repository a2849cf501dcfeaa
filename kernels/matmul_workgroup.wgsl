// Matrix product, tile by tile through workgroup memory; what it computes stands in matmul_interface.wgsl.
//
// X·Y invocations load INNER values of k for ROWS·Y·4 rows and COLUMNS·X·4 columns at a time, each value
// once, and multiply them from workgroup memory: the tiling of GPU libraries (Volkov and Demmel 2008;
// CUTLASS). Both tiles lie k-major, so that one inner loop serves all transposes; an operand whose k runs
// along its rows is turned round in blocks of 4 × 4. A pitch one vec4 wider than the tile keeps the
// four writes of such a block in different banks. k beyond the end is filled with zeros.

var<workgroup> tileA: array<vec4f, $ATILE>; // [INNER][APITCH]
var<workgroup> tileB: array<vec4f, $BTILE>; // [INNER][BPITCH]

@compute @workgroup_size($X, $Y)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let x = local % $X;
  let y = local / $X;
  let z = group.z;
  let columns = params.columns / 4;
  let firstRow = group.y * ($ROWS * $Y); // in vec4s, as firstColumn
  let firstColumn = group.x * ($COLUMNS * $X);
  // Row vector y + i·Y and column vector x + j·X of the tile belong to this invocation.
  //: for i in 0..ROWS
  //: for q in 0..4
  //: for j in 0..COLUMNS
  //: if BIAS
  var c$i_$q_$j = bias[z * columns + min(firstColumn + x + $j * $X, columns - 1)];
  //: else
  var c$i_$q_$j = vec4f();
  //: end
  //: end
  //: end
  //: end

  //: for p in 0..PARTS
  //: if NN
  for (var s = 0u; s < params.stack; s++) {
    let inner = params.inner$p;
    let rowsBefore = s * params.rows;
    let innerBefore = s * inner;
  //: else
  {
    //: if p
    let slot = slotOf(z);
    let inner = select(params.inner$p, 0, slot == 15);
    let rowsBefore = slot * params.rows;
    let columnsBefore = slot * params.columns;
    //: else
    let inner = params.inner$p;
    let rowsBefore = 0u;
    let columnsBefore = z * params.columns;
    //: end
  //: end
    for (var start = 0u; start < inner; start += $INNER) {
      //: for l in 0..ALOADS
      {
        let i = local + $l * ($X * $Y);
        //: if TN
        let k = i / $AWIDTH;
        let at = i % $AWIDTH;
        if (k < $INNER) {
          let rows = params.rows / 4;
          let value = loadA$p(z * inner + min(start + k, inner - 1), rows, min(firstRow + at, rows - 1));
          tileA[k * $APITCH + at] = select(vec4f(), value, start + k < inner);
        }
        //: else
        let k = i % ($INNER / 4);
        let at = i / ($INNER / 4);
        if (at < $AWIDTH) {
          let first = min(start / 4 + k, inner / 4 - 1);
          //: for t in 0..4
          let v$t = loadA$p(rowsBefore + min((firstRow + at) * 4 + $t, params.rows - 1), inner / 4, first);
          //: end
          let turned = transpose(mat4x4f(v0, v1, v2, v3));
          //: for t in 0..4
          tileA[(k * 4 + $t) * $APITCH + at] = select(vec4f(), turned[$t], start + k * 4 < inner);
          //: end
        }
        //: end
      }
      //: end
      //: for l in 0..BLOADS
      {
        let i = local + $l * ($X * $Y);
        //: if NT
        let k = i % ($INNER / 4);
        let at = i / ($INNER / 4);
        if (at < $BWIDTH) {
          let first = min(start / 4 + k, inner / 4 - 1);
          let column = min(firstColumn + at, columns - 1) * 4 + columnsBefore;
          //: for t in 0..4
          let v$t = loadB$p(column + $t, inner / 4, first);
          //: end
          let turned = transpose(mat4x4f(v0, v1, v2, v3));
          //: for t in 0..4
          tileB[(k * 4 + $t) * $BPITCH + at] = select(vec4f(), turned[$t], start + k * 4 < inner);
          //: end
        }
        //: else
        let k = i / $BWIDTH;
        let at = i % $BWIDTH;
        if (k < $INNER) {
          //: if NN
          let row = innerBefore + min(start + k, inner - 1);
          //: else
          let row = min(start + k, inner - 1);
          //: end
          let value = loadB$p(row, columns, min(firstColumn + at, columns - 1));
          tileB[k * $BPITCH + at] = select(vec4f(), value, start + k < inner);
        }
        //: end
      }
      //: end
      workgroupBarrier();
      //: for k in 0..INNER
      {
        //: for i in 0..ROWS
        let a$i = tileA[$k * $APITCH + y + $i * $Y];
        //: end
        //: for j in 0..COLUMNS
        {
          let b = tileB[$k * $BPITCH + x + $j * $X];
          //: for i in 0..ROWS
          c$i_0_$j = fma(a$i.xxxx, b, c$i_0_$j);
          c$i_1_$j = fma(a$i.yyyy, b, c$i_1_$j);
          c$i_2_$j = fma(a$i.zzzz, b, c$i_2_$j);
          c$i_3_$j = fma(a$i.wwww, b, c$i_3_$j);
          //: end
        }
        //: end
      }
      //: end
      workgroupBarrier();
    }
  }
  //: end

  //: for i in 0..ROWS
  //: for q in 0..4
  //: for j in 0..COLUMNS
  store(z, (firstRow + y + $i * $Y) * 4 + $q, firstColumn + x + $j * $X, c$i_$q_$j);
  //: end
  //: end
  //: end
}
