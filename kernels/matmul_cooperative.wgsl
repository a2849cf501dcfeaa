// Matrix product on the GPU's matrix units (NVIDIA's tensor cores), from operands that are rounded to f16,
// summed in f32; what it computes stands in matmul_interface.wgsl. WGSL has no such units yet, and extensions of
// two compilers stand for VK_KHR_cooperative_matrix: Tint's chromium_experimental_subgroup_matrix (TINT) and
// wgpu's wgpu_cooperative_matrix. Both count offsets and strides in elements of the array, here vec4s.
//
// A workgroup loads INNER values of k for TILEROWS rows and TILECOLUMNS columns at a time, rounds them and
// lays them into workgroup memory as they lie in the operand: a fragment can be read row by row (row_major,
// coopLoadT) or column by column (col_major, coopLoad), so nothing is turned round. Each subgroup multiplies
// ROWS × COLUMNS fragments from there, of HEIGHT × DEPTH values of A by DEPTH × WIDTH values of B, while the
// next values are on their way to registers. A pitch of 16 bytes more than the tile's width keeps the rows of a
// fragment in different banks, and their starts on the multiples of 16 bytes that Vulkan asks for.
//
// A fragment's values belong to the subgroup as a whole, so that what is finished goes through workgroup
// memory again, where each invocation takes four values through the same epilogue as the other kernels.
//
// Gradients are small: f16 rounds what is below 6e-5 more coarsely and loses what is below 6e-8. In NN and
// TN, whose A is the gradient, A is multiplied by 1024 on its way and the sum divided again: 5.8e-11 to 64
// then fit. What is larger becomes infinite and is seen, as it is with loss scaling (Micikevicius et al. 2018).
// Gradients that are f16 already have been scaled with the loss, and fit as they are.

//: if TINT
alias FragmentA = subgroup_matrix_left<f16, $DEPTH, $HEIGHT>; // columns, then rows
alias FragmentB = subgroup_matrix_right<f16, $WIDTH, $DEPTH>;
alias FragmentC = subgroup_matrix_result<f32, $WIDTH, $HEIGHT>;
//: else
//: if LARGE
alias FragmentA = coop_mat16x16<f16, A>;
alias FragmentB = coop_mat16x16<f16, B>;
alias FragmentC = coop_mat16x16<f32, C>;
//: else
alias FragmentA = coop_mat8x8<f16, A>;
alias FragmentB = coop_mat8x8<f16, B>;
alias FragmentC = coop_mat8x8<f32, C>;
//: end
//: end

// Widths and pitches count vec4s.
var<workgroup> tileA: array<vec4<f16>, $ALINES * $APITCH>; // NT, NN [TILEROWS][k], TN [INNER][rows]
var<workgroup> tileB: array<vec4<f16>, $BLINES * $BPITCH>; // NT [TILECOLUMNS][k], NN, TN [INNER][columns]
var<workgroup> tileC: array<vec4f, $SUBGROUPS * $HEIGHT * $CPITCH>; // a row of each subgroup's fragments

//: if SMALL_A
const scale = 1024.0;
//: else
const scale = 1.0;
//: end

// Vec4 number i of a tile whose first row (column) of C is `first` and first k is `start`; zeros where k is
// beyond the end. `before`: rows of the operand before the product's own.
//: for p in 0..PARTS
fn fetchA$p(i: u32, first: u32, start: u32, inner: u32, before: u32) -> vec4<f16> {
  let line = i / $AWIDTH;
  let at = i % $AWIDTH;
  //: if TN
  let k = start + line;
  let width = params.rows / 4;
  let value = loadA$p(before + min(k, inner - 1), width, min(first / 4 + at, width - 1));
  //: else
  let k = start + at * 4;
  let value = loadA$p(before + min(first + line, params.rows - 1), inner / 4, min(k, inner - 4) / 4);
  //: end
  return select(vec4<f16>(), vec4<f16>(value * scale), k < inner);
}

fn fetchB$p(i: u32, first: u32, start: u32, inner: u32, before: u32) -> vec4<f16> {
  let line = i / $BWIDTH;
  let at = i % $BWIDTH;
  //: if NT
  let k = start + at * 4;
  let value = loadB$p(before + min(first + line, params.columns - 1), inner / 4, min(k, inner - 4) / 4);
  //: else
  let k = start + line;
  let width = params.columns / 4;
  let value = loadB$p(before + min(k, inner - 1), width, min(first / 4 + at, width - 1));
  //: end
  return select(vec4<f16>(), vec4<f16>(value), k < inner);
}
//: end

@compute @workgroup_size($THREADS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) local: u32,
  @builtin(subgroup_id) subgroup: u32,
) {
  let z = group.z;
  let firstRow = group.y * $TILEROWS;
  let firstColumn = group.x * $TILECOLUMNS;
  // Where subgroups turn out smaller than the plan says there are more of them: those do others' work again.
  let part = subgroup % $SUBGROUPS;
  let partRow = part / $X * ($ROWS * $HEIGHT);
  let partColumn = part % $X * ($COLUMNS * $WIDTH);
  //: for i in 0..ROWS
  //: for j in 0..COLUMNS
  var c$i_$j = FragmentC();
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
    //: for l in 0..ALOADS
    var nextA$l = vec4<f16>();
    //: end
    //: for l in 0..BLOADS
    var nextB$l = vec4<f16>();
    //: end
    if (inner > 0) {
      //: for l in 0..ALOADS
      nextA$l = fetchA$p(local + $l * $THREADS, firstRow, 0, inner, beforeA);
      //: end
      //: for l in 0..BLOADS
      nextB$l = fetchB$p(local + $l * $THREADS, firstColumn, 0, inner, beforeB);
      //: end
    }
    for (var start = 0u; start < inner; start += $INNER) {
      //: for l in 0..ALOADS
      {
        let i = local + $l * $THREADS;
        if (i < $ALINES * $AWIDTH) { tileA[i / $AWIDTH * $APITCH + i % $AWIDTH] = nextA$l; }
      }
      //: end
      //: for l in 0..BLOADS
      {
        let i = local + $l * $THREADS;
        if (i < $BLINES * $BWIDTH) { tileB[i / $BWIDTH * $BPITCH + i % $BWIDTH] = nextB$l; }
      }
      //: end
      workgroupBarrier();
      let next = start + $INNER;
      if (next < inner) {
        //: for l in 0..ALOADS
        nextA$l = fetchA$p(local + $l * $THREADS, firstRow, next, inner, beforeA);
        //: end
        //: for l in 0..BLOADS
        nextB$l = fetchB$p(local + $l * $THREADS, firstColumn, next, inner, beforeB);
        //: end
      }
      //: for k in 0..STEPS
      {
        //: for i in 0..ROWS
        //: if TN
        let atA$i = $k * $DEPTH * $APITCH + (partRow + $i * $HEIGHT) / 4;
        //: if TINT
        let a$i = subgroupMatrixLoad<FragmentA, col_major>(&tileA, atA$i, $APITCH);
        //: else
        let a$i = coopLoad<FragmentA>(&tileA[atA$i], $APITCH);
        //: end
        //: else
        let atA$i = (partRow + $i * $HEIGHT) * $APITCH + $k * $DEPTH / 4;
        //: if TINT
        let a$i = subgroupMatrixLoad<FragmentA, row_major>(&tileA, atA$i, $APITCH);
        //: else
        let a$i = coopLoadT<FragmentA>(&tileA[atA$i], $APITCH);
        //: end
        //: end
        //: end
        //: for j in 0..COLUMNS
        {
          //: if NT
          let atB = (partColumn + $j * $WIDTH) * $BPITCH + $k * $DEPTH / 4;
          //: if TINT
          let b = subgroupMatrixLoad<FragmentB, col_major>(&tileB, atB, $BPITCH);
          //: else
          let b = coopLoad<FragmentB>(&tileB[atB], $BPITCH);
          //: end
          //: else
          let atB = $k * $DEPTH * $BPITCH + (partColumn + $j * $WIDTH) / 4;
          //: if TINT
          let b = subgroupMatrixLoad<FragmentB, row_major>(&tileB, atB, $BPITCH);
          //: else
          let b = coopLoadT<FragmentB>(&tileB[atB], $BPITCH);
          //: end
          //: end
          //: for i in 0..ROWS
          //: if TINT
          c$i_$j = subgroupMatrixMultiplyAccumulate(a$i, b, c$i_$j);
          //: else
          c$i_$j = coopMultiplyAdd(a$i, b, c$i_$j);
          //: end
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
  //: for j in 0..COLUMNS
  let atC$i_$j = part * ($HEIGHT * $CPITCH) + $j * $WIDTH / 4;
  //: if TINT
  subgroupMatrixStore<row_major>(&tileC, atC$i_$j, c$i_$j, $CPITCH);
  //: else
  coopStoreT(c$i_$j, &tileC[atC$i_$j], $CPITCH);
  //: end
  //: end
  workgroupBarrier();
  //: for l in 0..CSTORES
  {
    let t = local + $l * $THREADS;
    let line = t / $CWIDTH;
    let at = t % $CWIDTH;
    let owner = line / $HEIGHT; // the subgroup
    if (owner < $SUBGROUPS) {
      let row = firstRow + owner / $X * ($ROWS * $HEIGHT) + $i * $HEIGHT + line % $HEIGHT;
      let column = firstColumn / 4 + owner % $X * $CWIDTH + at;
      //: if BIAS
      let columns = params.columns / 4;
      let value = tileC[line * $CPITCH + at] / scale + bias[z * columns + min(column, columns - 1)];
      //: else
      let value = tileC[line * $CPITCH + at] / scale;
      //: end
      store(z, row, column, value);
    }
  }
  //: end
  workgroupBarrier();
  //: end
}
