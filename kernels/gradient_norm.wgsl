// Global gradient norm over all parameters, √Σ g², and the factor that clips it to `maxNorm`:
// min(1, maxNorm/(norm + 1e-6)), as torch.nn.utils.clip_grad_norm_. Partial sums first, one dispatch a
// piece of the flat gradient, then one workgroup adds them in order and notes the step in `history`.

struct Params {
  count: u32, // partial: vec4s of this piece; finish: partial sums in all
  first: u32, // this piece's first slot in `sums`
  maxNorm: f32,
}

struct Step {
  slot: u32, // where in `history` this step stands
  learningRate: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> sums: array<f32>;
@group(0) @binding(3) var<storage, read_write> clip: array<f32>; // [1]
@group(0) @binding(4) var<storage, read_write> history: array<vec4f>; // loss, norm, learning rate, –
@group(0) @binding(5) var<storage, read> loss: array<f32>; // [1]
@group(0) @binding(6) var<uniform> step: Step;

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
    let norm = sqrt(all);
    clip[0] = min(1, params.maxNorm / (norm + 1e-6));
    history[step.slot] = vec4f(loss[0], norm, step.learningRate, 0);
  }
}
