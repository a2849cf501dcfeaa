// Matrix product, tile by tile through workgroup memory; what it computes stands in matmul_interface.wgsl.
//
// X·Y invocations load INNER values of k for ROWS·Y·4 rows and COLUMNS·X·4 columns at a time, each value
// once, and multiply them from workgroup memory: the tiling of GPU libraries (Volkov and Demmel 2008;
// CUTLASS). Both tiles lie k-major, so that one inner loop serves all transposes; an operand whose k runs
// along its rows is turned round in blocks of 4 × 4. A pitch one vec4 wider than the tile keeps the
// four writes of such a block in different banks. k beyond the end is filled with zeros.
//
// With PREFETCH the next tiles are loaded into registers before these are multiplied, so that they arrive
// meanwhile: for products of too few workgroups to hide how long memory takes. There is a round more, which
// only multiplies.

var<workgroup> tileA: array<vec4f, $ATILE>; // [INNER][APITCH]
var<workgroup> tileB: array<vec4f, $BTILE>; // [INNER][BPITCH]

// What an invocation loads of an operand at a time: four values of a k, or of each of four.
//: if TN
alias BlockA = vec4f;
//: else
alias BlockA = mat4x4f;
//: end
//: if NT
alias BlockB = mat4x4f;
//: else
alias BlockB = vec4f;
//: end
//: for p in 0..PARTS

// Block i of A's tile for k from `start` on, zeros beyond the last k; `before` is the matrix's first row in the stack.
fn fetchA$p(i: u32, before: u32, firstRow: u32, start: u32, inner: u32) -> BlockA {
  //: if TN
  let k = start + i / $AWIDTH;
  if (i / $AWIDTH >= $INNER || k >= inner) { return BlockA(); }
  let rows = params.rows / 4;
  return loadA$p(before + k, rows, min(firstRow + i % $AWIDTH, rows - 1));
  //: else
  let k = start / 4 + i % ($INNER / 4);
  let at = i / ($INNER / 4);
  if (at >= $AWIDTH || k >= inner / 4) { return BlockA(); }
  //: for t in 0..4
  let v$t = loadA$p(before + min((firstRow + at) * 4 + $t, params.rows - 1), inner / 4, k);
  //: end
  return transpose(mat4x4f(v0, v1, v2, v3));
  //: end
}

fn fetchB$p(i: u32, before: u32, firstColumn: u32, start: u32, inner: u32) -> BlockB {
  let columns = params.columns / 4;
  //: if NT
  let k = start / 4 + i % ($INNER / 4);
  let at = i / ($INNER / 4);
  if (at >= $BWIDTH || k >= inner / 4) { return BlockB(); }
  let column = before + min(firstColumn + at, columns - 1) * 4;
  //: for t in 0..4
  let v$t = loadB$p(column + $t, inner / 4, k);
  //: end
  return transpose(mat4x4f(v0, v1, v2, v3));
  //: else
  let k = start + i / $BWIDTH;
  if (i / $BWIDTH >= $INNER || k >= inner) { return BlockB(); }
  return loadB$p(before + k, columns, min(firstColumn + i % $BWIDTH, columns - 1));
  //: end
}
//: end

fn keepA(i: u32, block: BlockA) {
  //: if TN
  if (i / $AWIDTH < $INNER) { tileA[i / $AWIDTH * $APITCH + i % $AWIDTH] = block; }
  //: else
  let k = i % ($INNER / 4) * 4;
  let at = i / ($INNER / 4);
  if (at >= $AWIDTH) { return; }
  //: for t in 0..4
  tileA[(k + $t) * $APITCH + at] = block[$t];
  //: end
  //: end
}

fn keepB(i: u32, block: BlockB) {
  //: if NT
  let k = i % ($INNER / 4) * 4;
  let at = i / ($INNER / 4);
  if (at >= $BWIDTH) { return; }
  //: for t in 0..4
  tileB[(k + $t) * $BPITCH + at] = block[$t];
  //: end
  //: else
  if (i / $BWIDTH < $INNER) { tileB[i / $BWIDTH * $BPITCH + i % $BWIDTH] = block; }
  //: end
}

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
    let beforeA = s * params.rows;
    let beforeB = s * inner;
  //: else
  {
    //: if p
    let slot = slotOf(z);
    let inner = select(params.inner$p, 0, slot == 15);
    let beforeA = slot * params.rows;
    let beforeB = slot * params.columns;
    //: else
    let inner = params.inner$p;
    //: if TN
    let beforeA = z * inner;
    let beforeB = 0u;
    //: else
    let beforeA = 0u;
    let beforeB = z * params.columns;
    //: end
    //: end
  //: end
    for (var start = 0u; start < inner + $AHEAD; start += $INNER) {
      //: for l in 0..ALOADS
      //: if PREFETCH
      let blockA$l = fetchA$p(local + $l * ($X * $Y), beforeA, firstRow, start, inner);
      //: else
      keepA(local + $l * ($X * $Y), fetchA$p(local + $l * ($X * $Y), beforeA, firstRow, start, inner));
      //: end
      //: end
      //: for l in 0..BLOADS
      //: if PREFETCH
      let blockB$l = fetchB$p(local + $l * ($X * $Y), beforeB, firstColumn, start, inner);
      //: else
      keepB(local + $l * ($X * $Y), fetchB$p(local + $l * ($X * $Y), beforeB, firstColumn, start, inner));
      //: end
      //: end
      //: if PREFETCH
      if (start > 0) { // the tiles before
      //: else
      workgroupBarrier();
      {
      //: end
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
      }
      workgroupBarrier();
      //: if PREFETCH
      //: for l in 0..ALOADS
      keepA(local + $l * ($X * $Y), blockA$l);
      //: end
      //: for l in 0..BLOADS
      keepB(local + $l * ($X * $Y), blockB$l);
      //: end
      workgroupBarrier();
      //: end
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
