// Global gradient norm over all parameters, √Σ g², and the factor that clips it to `maxNorm`:
// min(1, maxNorm/(norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. Partial sums first, one dispatch a
// piece of the flat gradient, then one workgroup adds them in order and notes the step in `history`.
//
// With SCALED the gradients are of a loss that was multiplied by lossScale.factor, so that f16 holds them
// (Micikevicius et al. 2018); the factor that clips them divides by it again. Where gradients are no numbers it is 0,
// by which AdamW leaves the step out, and the next steps have half the factor; after so many steps without, the
// double. The norm that is noted is then -1.

struct Params {
  count: u32, // partial: vec4s of this piece; finish: partial sums in all
  first: u32, // this piece's first slot in `sums`
  maxNorm: f32,
}

struct Step {
  slot: u32, // where in `history` this step stands
  learningRate: f32,
}

//: if SCALED
struct LossScale {
  factor: f32,
  steps: f32, // since the factor was last changed
}

const leastFactor: f32 = $LEAST;
const mostFactor = 65536.0;
const growthSteps = 200.0;

//: end
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> clip: array<f32>; // [1]
@group(0) @binding(4) var<storage, read_write> history: array<vec4f>; // loss, norm, learning rate, –
@group(0) @binding(5) var<storage, read> loss: array<f32>; // [1]
@group(0) @binding(6) var<uniform> step: Step;
//: if SCALED
@group(0) @binding(7) var<storage, read_write> lossScale: LossScale;
//: end

const lanes = 64u;
var<workgroup> parts: array<f32, lanes>;

fn total(lane: u32, part: f32) -> f32 {
  parts[lane] = part;
  workgroupBarrier();
  var sum = 0.0;
  if (lane == 0) {
    for (var i = 0u; i < lanes; i++) { sum += parts[i]; }
  }
  return sum;
}

@compute @workgroup_size(lanes)
fn partial(
  @builtin(local_invocation_index) lane: u32,
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
) {
  var sum = 0.0;
  // A stretch of its own for each workgroup: striding over the whole would leave a page at every step.
  let stretch = (params.count + groups.x - 1) / groups.x;
  let end = min((group.x + 1) * stretch, params.count);
  for (var i = group.x * stretch + lane; i < end; i += lanes) {
    let g = gradient[i];
    sum += dot(g, g);
  }
  let all = total(lane, sum);
  if (lane == 0) { sums[params.first + group.x] = all; }
}

@compute @workgroup_size(lanes)
fn finish(@builtin(local_invocation_index) lane: u32) {
  var sum = 0.0;
  for (var i = lane; i < params.count; i += lanes) { sum += sums[i]; }
  let all = total(lane, sum);
  if (lane == 0) {
    //: if SCALED
    let factor = lossScale.factor;
    let isFinite = all <= 3.4028234e38;
    let norm = select(-1.0, sqrt(all) / factor, isFinite);
    clip[0] = select(0.0, min(1, params.maxNorm / (norm + 1e-6)) / factor, isFinite);
    history[step.slot] = vec4f(loss[0], norm, step.learningRate, factor);
    let grown = lossScale.steps + 1 >= growthSteps;
    if (!isFinite) {
      lossScale = LossScale(max(factor / 2, leastFactor), 0);
    } else if (grown) {
      lossScale = LossScale(min(factor * 2, mostFactor), 0);
    } else {
      lossScale.steps += 1;
    }
    //: else
    let norm = sqrt(all);
    clip[0] = min(1, params.maxNorm / (norm + 1e-6));
    history[step.slot] = vec4f(loss[0], norm, step.learningRate, 0);
    //: end
  }
}
