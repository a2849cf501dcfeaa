// Attention with rows handed round in a subgroup, for adapters on which a load costs as much as hundreds of
// multiply-adds (llvmpipe); formulas and bindings stand in attention_interface.wgsl.
//
// A subgroup has ROWS·LANES neighbouring tokens of a head: invocation `lane` those at lane, LANES + lane, …,
// so that one row handed round serves all of them. Their vectors lie in registers, GROUPS·LANES vec4s each,
// hence the unrolled text. The subgroup walks through the rows of all its tokens' sentences: each
// invocation loads a share of a row and hands it round. Rows of another's sentence weigh nothing.
//
// Keys go by four: one rescaling serves them, and one draw of dropout, though a draw's four keys begin at a
// multiple of 4 in the own sentence, where the subgroup's walk need not be. Queries go by two in
// backward_key_value, which has twice as much to keep.

// The rows to walk through, [first, last), if these tokens' sentences are to be among them.
fn widen(walk: vec2u, sentence: vec2u) -> vec2u {
  if (sentence.x >= sentence.y) { return walk; }
  return vec2u(min(walk.x, sentence.x), max(walk.y, sentence.y));
}

// Draws number `at` to `at` + 3 of the eight in a and b; `at` is 0 to 3.
fn drawsAcross(a: vec2u, b: vec2u, at: u32) -> vec2u {
  let words = select(vec3u(a, b.x), vec3u(a.y, b), at >= 2);
  return select(words.xy, (words.xy >> vec2u(16)) | (words.yz << vec2u(16)), at % 2 == 1);
}

fn within(row: u32, sentence: vec2u) -> bool {
  return row >= sentence.x && row < sentence.y;
}

@compute @workgroup_size($LANES)
fn forward(@builtin(workgroup_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let head = id.y;
  let column = head * $D;
  var walk = vec2u(params.rows, 0);
  // Tokens beyond the last row repeat it: a subgroup needs all its invocations.
  //: for r in 0..ROWS
  let i$r = min((id.x * $ROWS + $r) * $LANES + lane, params.rows - 1);
  let sentence$r = sentences[i$r];
  walk = widen(walk, sentence$r);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let q$r_$g_$l = load(QUERY, i$r, column + $g * $LANES + $l) * params.scale;
  var o$r_$g_$l = vec4f();
  //: end
  //: end
  var highest$r = -3.0e38;
  var sum$r = 0.0;
  //: end
  var j = subgroupMin(walk.x);
  let last = subgroupMax(walk.y);
  //: for r in 0..ROWS
  var draws$r = drawsOf(i$r, head, (j - sentence$r.x) / 4);
  //: end
  for (; j < last; j += 4) {
    //: for n in 0..4
    let row$n = min(j + $n, params.rows - 1);
    //: for r in 0..ROWS
    var product$r_$n = vec4f();
    //: end
    //: for g in 0..GROUPS
    let key$n_$g = load(KEY, row$n, column + $g * $LANES + lane);
    //: for l in 0..LANES
    let k$n_$g_$l = subgroupBroadcast(key$n_$g, u32($l));
    //: for r in 0..ROWS
    product$r_$n = fma(q$r_$g_$l, k$n_$g_$l, product$r_$n);
    //: end
    //: end
    //: end
    //: end
    //: for r in 0..ROWS
    let at$r = j - sentence$r.x; // wraps around before the sentence, where nothing weighs
    let following$r = drawsOf(i$r, head, at$r / 4 + 1);
    let drawn$r = drawsAcross(draws$r, following$r, at$r % 4);
    let factors$r = factorsFrom(drawn$r, params.threshold, params.keep);
    draws$r = following$r;
    var top$r = highest$r;
    //: for n in 0..4
    let score$r_$n = select(-3.0e38, sumOf(product$r_$n), within(j + $n, sentence$r));
    top$r = max(top$r, score$r_$n);
    //: end
    let shrink$r = exp(highest$r - top$r);
    highest$r = top$r;
    sum$r *= shrink$r;
    //: for n in 0..4
    let weight$r_$n = select(0.0, exp(score$r_$n - top$r), within(j + $n, sentence$r));
    sum$r += weight$r_$n;
    let kept$r_$n = vec4f(weight$r_$n * factors$r[$n]);
    //: end
    //: end
    //: for g in 0..GROUPS
    //: for n in 0..4
    let value$n_$g = load(VALUE, row$n, column + $g * $LANES + lane);
    //: end
    //: for l in 0..LANES
    //: for r in 0..ROWS
    o$r_$g_$l *= shrink$r;
    //: end
    //: for n in 0..4
    let v$n_$g_$l = subgroupBroadcast(value$n_$g, u32($l));
    //: for r in 0..ROWS
    o$r_$g_$l = fma(kept$r_$n, v$n_$g_$l, o$r_$g_$l);
    //: end
    //: end
    //: end
    //: end
  }
  //: for r in 0..ROWS
  let normalise$r = select(0.0, 1 / sum$r, sentence$r.x < sentence$r.y);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  output[indexOf(i$r, column + $g * $LANES + $l)] = storeVector(o$r_$g_$l * normalise$r);
  //: end
  //: end
  lse[i$r * params.heads + head] = highest$r + log(max(sum$r, 1e-30));
  //: end
}

@compute @workgroup_size($LANES)
fn backward_query(@builtin(workgroup_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let head = id.y;
  let column = head * $D;
  var walk = vec2u(params.rows, 0);
  //: for r in 0..ROWS
  let i$r = min((id.x * $ROWS + $r) * $LANES + lane, params.rows - 1);
  let sentence$r = sentences[i$r];
  walk = widen(walk, sentence$r);
  var product$r = vec4f();
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let q$r_$g_$l = load(QUERY, i$r, column + $g * $LANES + $l) * params.scale;
  let do$r_$g_$l = loadDoutput(i$r, column + $g * $LANES + $l);
  product$r = fma(do$r_$g_$l, loadResult(i$r, column + $g * $LANES + $l), product$r);
  var dq$r_$g_$l = vec4f();
  //: end
  //: end
  let lse$r = lse[i$r * params.heads + head];
  let delta$r = sumOf(product$r);
  delta[i$r * params.heads + head] = delta$r;
  //: end
  var j = subgroupMin(walk.x);
  let last = subgroupMax(walk.y);
  //: for r in 0..ROWS
  var draws$r = drawsOf(i$r, head, (j - sentence$r.x) / 4);
  //: end
  for (; j < last; j += 4) {
    //: for n in 0..4
    let row$n = min(j + $n, params.rows - 1);
    //: for r in 0..ROWS
    var product$r_$n = vec4f();
    var dproduct$r_$n = vec4f();
    //: end
    //: for g in 0..GROUPS
    let key$n_$g = load(KEY, row$n, column + $g * $LANES + lane);
    let value$n_$g = load(VALUE, row$n, column + $g * $LANES + lane);
    //: for l in 0..LANES
    let k$n_$g_$l = subgroupBroadcast(key$n_$g, u32($l));
    let v$n_$g_$l = subgroupBroadcast(value$n_$g, u32($l));
    //: for r in 0..ROWS
    product$r_$n = fma(q$r_$g_$l, k$n_$g_$l, product$r_$n);
    dproduct$r_$n = fma(do$r_$g_$l, v$n_$g_$l, dproduct$r_$n);
    //: end
    //: end
    //: end
    //: end
    //: for r in 0..ROWS
    let at$r = j - sentence$r.x;
    let following$r = drawsOf(i$r, head, at$r / 4 + 1);
    let drawn$r = drawsAcross(draws$r, following$r, at$r % 4);
    let factors$r = factorsFrom(drawn$r, params.threshold, params.keep);
    draws$r = following$r;
    //: for n in 0..4
    let p$r_$n = select(0.0, exp(sumOf(product$r_$n) - lse$r), within(j + $n, sentence$r));
    let ds$r_$n = vec4f(p$r_$n * (sumOf(dproduct$r_$n) * factors$r[$n] - delta$r));
    //: end
    //: end
    //: for g in 0..GROUPS
    //: for l in 0..LANES
    //: for n in 0..4
    //: for r in 0..ROWS
    dq$r_$g_$l = fma(ds$r_$n, k$n_$g_$l, dq$r_$g_$l);
    //: end
    //: end
    //: end
    //: end
  }
  //: for r in 0..ROWS
  let query$r = indexOf(QUERY * params.rows + i$r, column);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  dprojections[query$r + $g * $LANES + $l] = storeVector(dq$r_$g_$l * params.scale);
  //: end
  //: end
  //: end
}

// Runs after backward_query, whose delta it reads.
@compute @workgroup_size($LANES)
fn backward_key_value(@builtin(workgroup_id) id: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let head = id.y;
  let column = head * $D;
  var walk = vec2u(params.rows, 0);
  //: for r in 0..ROWS
  let j$r = min((id.x * $ROWS + $r) * $LANES + lane, params.rows - 1);
  let sentence$r = sentences[j$r];
  walk = widen(walk, sentence$r);
  let at$r = j$r - sentence$r.x;
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  let k$r_$g_$l = load(KEY, j$r, column + $g * $LANES + $l) * params.scale;
  let v$r_$g_$l = load(VALUE, j$r, column + $g * $LANES + $l);
  var dk$r_$g_$l = vec4f();
  var dv$r_$g_$l = vec4f();
  //: end
  //: end
  //: end
  let last = subgroupMax(walk.y);
  for (var i = subgroupMin(walk.x); i < last; i += 2) {
    let own = min(i + lane % 2, params.rows - 1) * params.heads + head;
    let ownStatistics = vec2f(lse[own], delta[own]);
    //: for n in 0..2
    let row$n = min(i + $n, params.rows - 1);
    let statistics$n = subgroupBroadcast(ownStatistics, u32($n));
    //: for r in 0..ROWS
    var product$r_$n = vec4f();
    var dproduct$r_$n = vec4f();
    //: end
    //: for g in 0..GROUPS
    let query$n_$g = load(QUERY, row$n, column + $g * $LANES + lane);
    let doutput$n_$g = loadDoutput(row$n, column + $g * $LANES + lane);
    //: for l in 0..LANES
    let q$n_$g_$l = subgroupBroadcast(query$n_$g, u32($l));
    let do$n_$g_$l = subgroupBroadcast(doutput$n_$g, u32($l));
    //: for r in 0..ROWS
    product$r_$n = fma(k$r_$g_$l, q$n_$g_$l, product$r_$n);
    dproduct$r_$n = fma(v$r_$g_$l, do$n_$g_$l, dproduct$r_$n);
    //: end
    //: end
    //: end
    //: for r in 0..ROWS
    let p$r_$n = select(0.0, exp(sumOf(product$r_$n) - statistics$n.x), within(i + $n, sentence$r));
    let factor$r_$n = factorsOf(row$n, head, at$r)[at$r % 4];
    let ds$r_$n = vec4f(p$r_$n * (sumOf(dproduct$r_$n) * factor$r_$n - statistics$n.y));
    let kept$r_$n = vec4f(p$r_$n * factor$r_$n);
    //: end
    //: end
    //: for g in 0..GROUPS
    //: for l in 0..LANES
    //: for n in 0..2
    //: for r in 0..ROWS
    dk$r_$g_$l = fma(ds$r_$n, q$n_$g_$l, dk$r_$g_$l);
    dv$r_$g_$l = fma(kept$r_$n, do$n_$g_$l, dv$r_$g_$l);
    //: end
    //: end
    //: end
    //: end
  }
  //: for r in 0..ROWS
  let key$r = indexOf(KEY * params.rows + j$r, column);
  let value$r = indexOf(VALUE * params.rows + j$r, column);
  //: for g in 0..GROUPS
  //: for l in 0..LANES
  dprojections[key$r + $g * $LANES + $l] = storeVector(dk$r_$g_$l * params.scale);
  dprojections[value$r + $g * $LANES + $l] = storeVector(dv$r_$g_$l);
  //: end
  //: end
  //: end
}
