// Attention tile by tile in workgroup memory, for GPUs; formulas and bindings stand in
// attention_interface.wgsl.
//
// A workgroup has ROWS neighbouring tokens of a head and PARTS invocations a token. It walks through the
// rows of all its tokens' sentences, TILE at a time, which it loads once for all. Of a tile, an invocation
// computes its token's weights on CHUNK = TILE / PARTS rows, with the token's vectors in registers; then,
// with all parts' weights, its PART = D / PARTS vec4s of the token's result. So no weight is computed twice,
// short batches give a GPU enough invocations, and the registers suffice: dk and dv of 64 values beside k
// and v would not fit. Loops run over the rows of the own sentence, so that nothing is masked.

// Arrays in arrays: naga guards every index that is no constant, and so there are few.
struct Row {
  parts: array<array<vec4f, $PART>, $PARTS>,
  spare: vec4f, // parts read rows at a distance, which would lie in the same banks of the memory
}

var<workgroup> tileA: array<Row, $TILE>; // keys; in backward_key_value queries
var<workgroup> tileB: array<Row, $TILE>; // values; in backward_key_value do
var<workgroup> weights: array<array<f32, $ROWS>, $TILE>;
var<workgroup> kept: array<array<f32, $ROWS>, $TILE>;
var<workgroup> statistics: array<vec2f, $TILE>; // lse and delta of the tile's queries
var<workgroup> shares: array<array<f32, $ROWS>, $PARTS>; // what the parts of a token tell each other

// The rows that the workgroup walks through. Filling rows come last: the last row that is none decides.
fn walkOf(group: u32) -> vec2u {
  let first = group * $ROWS;
  var last = min(first + $ROWS, params.rows) - 1;
  while (last > first && sentences[last].x >= sentences[last].y) { last--; }
  return vec2u(sentences[first].x, sentences[last].y);
}

// The rows of a token's sentence; none beyond the last row.
fn sentenceOf(row: u32) -> vec2u {
  if (row >= params.rows) { return vec2u(); }
  return sentences[row];
}

// Which of a tile's rows belong to a sentence: [x, y), counted from the tile's first.
fn inTile(sentence: vec2u, first: u32) -> vec2u {
  return clamp(sentence, vec2u(first), vec2u(first + $TILE)) - first;
}

// Those of them for which an invocation computes weights.
fn inChunk(own: vec2u, part: u32) -> vec2u {
  return clamp(own, vec2u(part * $CHUNK), vec2u(part * $CHUNK + $CHUNK));
}

// Keys and values of the rows from `first` on, up to `last`, for the whole workgroup.
fn loadTiles(invocation: u32, first: u32, last: u32, column: u32) {
  workgroupBarrier(); // the tile before is done with
  for (var n = invocation; n < min(last - first, $TILE) * $D; n += $WORKGROUP) {
    tileA[n / $D].parts[n % $D / $PART][n % $PART] = load(KEY, first + n / $D, column + n % $D);
    tileB[n / $D].parts[n % $D / $PART][n % $PART] = load(VALUE, first + n / $D, column + n % $D);
  }
  workgroupBarrier();
}

@compute @workgroup_size($WORKGROUP)
fn forward(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = invocation % $ROWS;
  let part = invocation / $ROWS;
  let i = id.x * $ROWS + row;
  let head = id.y;
  let column = head * $D;
  let sentence = sentenceOf(i);
  //: for p in 0..PARTS
  //: for d in 0..PART
  let q$p_$d = load(QUERY, min(i, params.rows - 1), column + $p * $PART + $d) * params.scale;
  //: end
  //: end
  //: for d in 0..PART
  var o$d = vec4f();
  //: end
  var highest = -3.0e38;
  var sum = 0.0; // of the own chunks
  let walk = walkOf(id.x);
  for (var first = walk.x; first < walk.y; first += $TILE) {
    loadTiles(invocation, first, walk.y, column);
    let own = inTile(sentence, first);
    let chunk = inChunk(own, part);
    var top = highest;
    for (var k = chunk.x; k < chunk.y; k++) {
      var score = vec4f();
      //: for p in 0..PARTS
      //: for d in 0..PART
      score = fma(q$p_$d, tileA[k].parts[$p][$d], score);
      //: end
      //: end
      weights[k][row] = sumOf(score);
      top = max(top, sumOf(score));
    }
    shares[part][row] = top;
    workgroupBarrier();
    //: for p in 0..PARTS
    top = max(top, shares[$p][row]);
    //: end
    let shrink = exp(highest - top);
    highest = top;
    sum *= shrink;
    var factors = vec4f(1);
    for (var k = chunk.x; k < chunk.y; k++) {
      let j = first + k - sentence.x;
      if (k == chunk.x || j % 4 == 0) { factors = factorsOf(i, head, j); }
      let weight = exp(weights[k][row] - top);
      sum += weight;
      weights[k][row] = weight * factors[j % 4];
    }
    workgroupBarrier();
    //: for d in 0..PART
    o$d *= shrink;
    //: end
    for (var k = own.x; k < own.y; k++) {
      let weight = vec4f(weights[k][row]);
      //: for d in 0..PART
      o$d = fma(weight, tileB[k].parts[part][$d], o$d);
      //: end
    }
  }
  shares[part][row] = sum;
  workgroupBarrier();
  if (i >= params.rows) { return; }
  var total = 0.0;
  //: for p in 0..PARTS
  total += shares[$p][row];
  //: end
  let normalise = select(0.0, 1 / total, sentence.x < sentence.y);
  //: for d in 0..PART
  output[indexOf(i, column + part * $PART + $d)] = o$d * normalise;
  //: end
  if (part == 0) { lse[i * params.heads + head] = highest + log(max(total, 1e-30)); }
}

@compute @workgroup_size($WORKGROUP)
fn backward_query(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = invocation % $ROWS;
  let part = invocation / $ROWS;
  let i = id.x * $ROWS + row;
  let head = id.y;
  let column = head * $D;
  let sentence = sentenceOf(i);
  let stored = min(i, params.rows - 1);
  var product = vec4f();
  //: for p in 0..PARTS
  //: for d in 0..PART
  let q$p_$d = load(QUERY, stored, column + $p * $PART + $d) * params.scale;
  let do$p_$d = loadDoutput(stored, column + $p * $PART + $d);
  product = fma(do$p_$d, loadResult(stored, column + $p * $PART + $d), product);
  //: end
  //: end
  //: for d in 0..PART
  var dq$d = vec4f();
  //: end
  let rowLse = lse[stored * params.heads + head];
  let rowDelta = sumOf(product);
  let walk = walkOf(id.x);
  for (var first = walk.x; first < walk.y; first += $TILE) {
    loadTiles(invocation, first, walk.y, column);
    let own = inTile(sentence, first);
    let chunk = inChunk(own, part);
    var factors = vec4f(1);
    for (var k = chunk.x; k < chunk.y; k++) {
      let j = first + k - sentence.x;
      if (k == chunk.x || j % 4 == 0) { factors = factorsOf(i, head, j); }
      var score = vec4f();
      var dp = vec4f();
      //: for p in 0..PARTS
      //: for d in 0..PART
      score = fma(q$p_$d, tileA[k].parts[$p][$d], score);
      dp = fma(do$p_$d, tileB[k].parts[$p][$d], dp);
      //: end
      //: end
      let p = exp(sumOf(score) - rowLse);
      weights[k][row] = p * (sumOf(dp) * factors[j % 4] - rowDelta);
    }
    workgroupBarrier();
    for (var k = own.x; k < own.y; k++) {
      let ds = vec4f(weights[k][row]);
      //: for d in 0..PART
      dq$d = fma(ds, tileA[k].parts[part][$d], dq$d);
      //: end
    }
  }
  if (i >= params.rows) { return; }
  //: for d in 0..PART
  dprojections[indexOf(QUERY * params.rows + i, column + part * $PART + $d)] = dq$d * params.scale;
  //: end
  if (part == 0) { delta[i * params.heads + head] = rowDelta; }
}

// Runs after backward_query, whose delta it reads.
@compute @workgroup_size($WORKGROUP)
fn backward_key_value(@builtin(workgroup_id) id: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let row = invocation % $ROWS;
  let part = invocation / $ROWS;
  let j = id.x * $ROWS + row;
  let head = id.y;
  let column = head * $D;
  let sentence = sentenceOf(j);
  let stored = min(j, params.rows - 1);
  //: for p in 0..PARTS
  //: for d in 0..PART
  let k$p_$d = load(KEY, stored, column + $p * $PART + $d) * params.scale;
  let v$p_$d = load(VALUE, stored, column + $p * $PART + $d);
  //: end
  //: end
  //: for d in 0..PART
  var dk$d = vec4f();
  var dv$d = vec4f();
  //: end
  let walk = walkOf(id.x);
  for (var first = walk.x; first < walk.y; first += $TILE) {
    workgroupBarrier(); // the tile before is done with
    let count = min(walk.y - first, $TILE);
    for (var n = invocation; n < count * $D; n += $WORKGROUP) {
      tileA[n / $D].parts[n % $D / $PART][n % $PART] = load(QUERY, first + n / $D, column + n % $D);
      tileB[n / $D].parts[n % $D / $PART][n % $PART] = loadDoutput(first + n / $D, column + n % $D);
    }
    if (invocation < count) {
      let at = (first + invocation) * params.heads + head;
      statistics[invocation] = vec2f(lse[at], delta[at]);
    }
    workgroupBarrier();
    let own = inTile(sentence, first);
    let chunk = inChunk(own, part);
    for (var n = chunk.x; n < chunk.y; n++) {
      var score = vec4f();
      var dp = vec4f();
      //: for p in 0..PARTS
      //: for d in 0..PART
      score = fma(k$p_$d, tileA[n].parts[$p][$d], score);
      dp = fma(v$p_$d, tileB[n].parts[$p][$d], dp);
      //: end
      //: end
      let p = exp(sumOf(score) - statistics[n].x);
      let factor = factorsOf(first + n, head, j - sentence.x)[(j - sentence.x) % 4];
      weights[n][row] = p * (sumOf(dp) * factor - statistics[n].y);
      kept[n][row] = p * factor;
    }
    workgroupBarrier();
    for (var n = own.x; n < own.y; n++) {
      let ds = vec4f(weights[n][row]);
      let pm = vec4f(kept[n][row]);
      //: for d in 0..PART
      dk$d = fma(ds, tileA[n].parts[part][$d], dk$d);
      dv$d = fma(pm, tileB[n].parts[part][$d], dv$d);
      //: end
    }
  }
  if (j >= params.rows) { return; }
  //: for d in 0..PART
  dprojections[indexOf(KEY * params.rows + j, column + part * $PART + $d)] = dk$d * params.scale;
  dprojections[indexOf(VALUE * params.rows + j, column + part * $PART + $d)] = dv$d;
  //: end
}
