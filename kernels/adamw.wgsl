// AdamW (Loshchilov and Hutter 2019), as torch.optim.AdamW: decoupled weight decay, bias-corrected
// moments. One dispatch serves a whole piece of the flat parameters. With SCALED a factor of 0 leaves all as it is: see
// gradient_norm.wgsl.

struct Params {
  count: u32, // vec4s
  beta1: f32,
  beta2: f32,
  eps: f32,
  weightDecay: f32,
}

struct Step {
  slot: u32,
  learningRate: f32,
  correction1: f32, // 1 - β₁ᵗ, t from 1
  correction2: f32, // √(1 - β₂ᵗ)
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read_write> parameter: array<vec4f>;
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> mean: array<vec4f>; // first moment
@group(0) @binding(4) var<storage, read_write> variance: array<vec4f>; // second moment
@group(0) @binding(5) var<storage, read> clip: array<f32>; // [1], from gradient_norm.wgsl
@group(0) @binding(6) var<uniform> step: Step;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  // Read once: a driver that cannot tell that no write changes them reads them again for every value.
  let factor = clip[0];
  //: if SCALED
  if (factor == 0) { return; }
  //: end
  let decay = 1 - step.learningRate * params.weightDecay;
  let rate = step.learningRate / step.correction1;
  let correction = step.correction2;
  for (var i = id.x; i < params.count; i += groups.x * 64) {
    let g = gradient[i] * factor;
    let m = mix(g, mean[i], params.beta1);
    let v = mix(g * g, variance[i], params.beta2);
    mean[i] = m;
    variance[i] = v;
    parameter[i] = parameter[i] * decay - rate * m / (sqrt(v) / correction + params.eps);
  }
}
