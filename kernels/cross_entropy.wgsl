// Mean cross-entropy of class scores: loss = mean_r (log Σ_j exp(x_rj) - x_r,label);
// dx_rj = dloss (softmax(x)_rj - [j = label]) / rows. One invocation a row, then one for the mean.
//
// With WEIGHTED a weight w_j of each class, and a share s of every label that is spread over all classes, as torch's
// CrossEntropyLoss has both; the loss is a sum, and its divisor lies in the weights:
// loss = Σ_r ((1 - s) w_label l_r,label + s/columns Σ_j w_j l_rj) with l_rj = -log softmax(x)_rj;
// dx_rj = dloss ((1 - s) w_label (p_rj - [j = label]) + s/columns (p_rj Σ_i w_i - w_j)) with p = softmax(x).

struct Params {
  rows: u32,
  columns: u32,
  //: if WEIGHTED
  smoothing: f32,
  //: end
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> logits: array<f32>; // [rows, columns]
@group(0) @binding(2) var<storage, read> labels: array<u32>; // [rows]
@group(0) @binding(3) var<storage, read_write> losses: array<f32>; // [rows]
@group(0) @binding(4) var<storage, read_write> loss: array<f32>; // [1]
@group(0) @binding(5) var<storage, read> dloss: array<f32>; // [1]
@group(0) @binding(6) var<storage, read_write> dlogits: array<f32>;
//: if WEIGHTED
@group(0) @binding(7) var<storage, read> weights: array<f32>; // [columns]
//: end

// (max, Σ exp(x - max)) of a row. They stay apart: their sum max + log Σ would round away the digits of
// log Σ where the scores are large.
fn highestAndSum(first: u32) -> vec2f {
  var highest = logits[first];
  for (var j = 1u; j < params.columns; j++) { highest = max(highest, logits[first + j]); }
  var sum = 0.0;
  for (var j = 0u; j < params.columns; j++) { sum += exp(logits[first + j] - highest); }
  return vec2f(highest, sum);
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.columns;
  let row = highestAndSum(first);
  //: if WEIGHTED
  let label = labels[id.x];
  var spread = 0.0;
  for (var j = 0u; j < params.columns; j++) {
    spread += weights[j] * (row.x - logits[first + j] + log(row.y));
  }
  let own = weights[label] * (row.x - logits[first + label] + log(row.y));
  losses[id.x] = (1 - params.smoothing) * own + params.smoothing / f32(params.columns) * spread;
  //: else
  losses[id.x] = row.x - logits[first + labels[id.x]] + log(row.y);
  //: end
}

@compute @workgroup_size(1)
fn mean() {
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row++) { sum += losses[row]; }
  //: if WEIGHTED
  loss[0] = sum;
  //: else
  loss[0] = sum / f32(params.rows);
  //: end
}

@compute @workgroup_size(64)
fn backward(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= params.rows) { return; }
  let first = id.x * params.columns;
  let row = highestAndSum(first);
  //: if WEIGHTED
  var total = 0.0;
  for (var j = 0u; j < params.columns; j++) { total += weights[j]; }
  let own = (1 - params.smoothing) * weights[labels[id.x]];
  let spread = params.smoothing / f32(params.columns);
  //: end
  for (var j = 0u; j < params.columns; j++) {
    let expected = select(0.0, 1.0, j == labels[id.x]);
    //: if WEIGHTED
    let p = exp(logits[first + j] - row.x) / row.y;
    dlogits[first + j] = dloss[0] * (own * (p - expected) + spread * (p * total - weights[j]));
    //: else
    dlogits[first + j] = dloss[0] * (exp(logits[first + j] - row.x) / row.y - expected) / f32(params.rows);
    //: end
  }
}
