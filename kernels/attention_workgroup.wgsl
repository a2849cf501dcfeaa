// Attention tile by tile in workgroup memory, for GPUs; formulas and bindings stand in
// attention_interface.wgsl.
//
// A workgroup has ROWS neighbouring tokens of a head and PARTS invocations a token. It walks through the
// rows of all its tokens' sentences, TILE at a time, which it loads once for all. An invocation has its
// PART = D / PARTS vec4s of the token's vectors and of its result in registers, at most 4 of each: with whole
// vectors GPUs ran out of registers from 64 values on. Of a tile it makes, in three steps with barriers between
// them, its part of the products with every row; from all parts of them the weights of CHUNK = TILE / PARTS
// rows, so that no exp and no draw is made twice; with all weights its part of the result. Loops run over the
// rows of the own sentence, so that nothing is masked.

// Arrays in arrays: naga guards every index that is no constant, and so there are few.
struct Row {
  parts: array<array<vec4f, $PART>, $PARTS>,
  spare: vec4f, // parts read rows at a distance, which would lie in the same banks of the memory
}

var<workgroup> tileA: array<Row, $TILE>; // keys; in backward_key_value queries
var<workgroup> tileB: array<Row, $TILE>; // values; in backward_key_value do
// The parts of a token's products with a tile's rows; weights made of them take the place of the first part.
var<workgroup> scores: array<array<array<f32, $ROWS>, $PARTS>, $TILE>;
var<workgroup> products: array<array<array<f32, $ROWS>, $PARTS>, $TILE>; // of do and v
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

// Those of them for which an invocation makes weights.
fn inChunk(own: vec2u, part: u32) -> vec2u {
  return clamp(own, vec2u(part * $CHUNK), vec2u(part * $CHUNK + $CHUNK));
}

fn scoreOf(k: u32, row: u32) -> f32 {
  var sum = 0.0;
  //: for p in 0..PARTS
  sum += scores[k][$p][row];
  //: end
  return sum;
}

fn productOf(k: u32, row: u32) -> f32 {
  var sum = 0.0;
  //: for p in 0..PARTS
  sum += products[k][$p][row];
  //: end
  return sum;
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
  //: for d in 0..PART
  let q$d = load(QUERY, min(i, params.rows - 1), column + part * $PART + $d) * params.scale;
  var o$d = vec4f();
  //: end
  var highest = -3.0e38;
  var sum = 0.0; // of the own chunks
  let walk = walkOf(id.x);
  for (var first = walk.x; first < walk.y; first += $TILE) {
    loadTiles(invocation, first, walk.y, column);
    let own = inTile(sentence, first);
    let chunk = inChunk(own, part);
    for (var k = own.x; k < own.y; k++) {
      var score = vec4f();
      //: for d in 0..PART
      score = fma(q$d, tileA[k].parts[part][$d], score);
      //: end
      scores[k][part][row] = sumOf(score);
    }
    workgroupBarrier();
    var top = highest;
    for (var k = chunk.x; k < chunk.y; k++) {
      let score = scoreOf(k, row);
      scores[k][0][row] = score;
      top = max(top, score);
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
      let weight = exp(scores[k][0][row] - top);
      sum += weight;
      scores[k][0][row] = weight * factors[j % 4];
    }
    workgroupBarrier();
    //: for d in 0..PART
    o$d *= shrink;
    //: end
    for (var k = own.x; k < own.y; k++) {
      let weight = vec4f(scores[k][0][row]);
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
  output[indexOf(i, column + part * $PART + $d)] = storeVector(o$d * normalise);
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
  //: for d in 0..PART
  let q$d = load(QUERY, stored, column + part * $PART + $d) * params.scale;
  let do$d = loadDoutput(stored, column + part * $PART + $d);
  product = fma(do$d, loadResult(stored, column + part * $PART + $d), product);
  var dq$d = vec4f();
  //: end
  let rowLse = lse[stored * params.heads + head];
  shares[part][row] = sumOf(product);
  workgroupBarrier();
  var rowDelta = 0.0;
  //: for p in 0..PARTS
  rowDelta += shares[$p][row];
  //: end
  let walk = walkOf(id.x);
  for (var first = walk.x; first < walk.y; first += $TILE) {
    loadTiles(invocation, first, walk.y, column);
    let own = inTile(sentence, first);
    let chunk = inChunk(own, part);
    for (var k = own.x; k < own.y; k++) {
      var score = vec4f();
      var dp = vec4f();
      //: for d in 0..PART
      score = fma(q$d, tileA[k].parts[part][$d], score);
      dp = fma(do$d, tileB[k].parts[part][$d], dp);
      //: end
      scores[k][part][row] = sumOf(score);
      products[k][part][row] = sumOf(dp);
    }
    workgroupBarrier();
    var factors = vec4f(1);
    for (var k = chunk.x; k < chunk.y; k++) {
      let j = first + k - sentence.x;
      if (k == chunk.x || j % 4 == 0) { factors = factorsOf(i, head, j); }
      let p = exp(scoreOf(k, row) - rowLse);
      scores[k][0][row] = p * (productOf(k, row) * factors[j % 4] - rowDelta);
    }
    workgroupBarrier();
    for (var k = own.x; k < own.y; k++) {
      let ds = vec4f(scores[k][0][row]);
      //: for d in 0..PART
      dq$d = fma(ds, tileA[k].parts[part][$d], dq$d);
      //: end
    }
  }
  if (i >= params.rows) { return; }
  //: for d in 0..PART
  dprojections[indexOf(QUERY * params.rows + i, column + part * $PART + $d)] = storeVector(dq$d * params.scale);
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
  //: for d in 0..PART
  let k$d = load(KEY, stored, column + part * $PART + $d) * params.scale;
  let v$d = load(VALUE, stored, column + part * $PART + $d);
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
    for (var n = own.x; n < own.y; n++) {
      var score = vec4f();
      var dp = vec4f();
      //: for d in 0..PART
      score = fma(k$d, tileA[n].parts[part][$d], score);
      dp = fma(v$d, tileB[n].parts[part][$d], dp);
      //: end
      scores[n][part][row] = sumOf(score);
      products[n][part][row] = sumOf(dp);
    }
    workgroupBarrier();
    for (var n = chunk.x; n < chunk.y; n++) {
      let p = exp(scoreOf(n, row) - statistics[n].x);
      let factor = factorsOf(first + n, head, j - sentence.x)[(j - sentence.x) % 4];
      scores[n][0][row] = p * (productOf(n, row) * factor - statistics[n].y);
      products[n][0][row] = p * factor;
    }
    workgroupBarrier();
    for (var n = own.x; n < own.y; n++) {
      let ds = vec4f(scores[n][0][row]);
      let pm = vec4f(products[n][0][row]);
      //: for d in 0..PART
      dk$d = fma(ds, tileA[n].parts[part][$d], dk$d);
      dv$d = fma(pm, tileB[n].parts[part][$d], dv$d);
      //: end
    }
  }
  if (j >= params.rows) { return; }
  //: for d in 0..PART
  dprojections[indexOf(KEY * params.rows + j, column + part * $PART + $d)] = storeVector(dk$d * params.scale);
  dprojections[indexOf(VALUE * params.rows + j, column + part * $PART + $d)] = storeVector(dv$d);
  //: end
}
