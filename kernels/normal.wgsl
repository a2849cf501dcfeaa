// The normal distribution function Φ(x) = (1 + erf(x/√2))/2, for GELU. Prepended to the kernels that use it.

// WGSL has no erf. For x ≥ 0, erfc(x) = 2^-p(x); p is the polynomial of degree 8 without a constant
// term that is closest to -log₂ erfc on [0, 4] in erf's own error (weighted least squares, Lawson's
// iteration): within 1.6e-8 in exact arithmetic, 1e-7 in f32. Beyond 4, erf is 1 in f32.
fn erf(x: vec4f) -> vec4f {
  let a = min(abs(x), vec4f(4));
  var p = fma(a, vec4f(4.53586019e-5), vec4f(-4.45507693e-4));
  p = fma(a, p, vec4f(1.48944184e-3));
  p = fma(a, p, vec4f(7.74629227e-4));
  p = fma(a, p, vec4f(-2.82536806e-2));
  p = fma(a, p, vec4f(1.48481615e-1));
  p = fma(a, p, vec4f(9.18416393e-1));
  p = fma(a, p, vec4f(1.62790859));
  return sign(x) * (1 - exp2(-a * p));
}

fn cumulative(x: vec4f) -> vec4f {
  return 0.5 * (1 + erf(x * 0.70710678));
}
