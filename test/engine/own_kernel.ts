/** A kernel of a test's own. */
import type { Kernel } from "../../kernels/mod.ts";

export const doubled = `
@group(0) @binding(0) var<storage, read> x: array<vec4f>;
@group(0) @binding(1) var<storage, read_write> y: array<vec4f>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) { y[id.x] = 2 * x[id.x]; }
`;
export const kernel = (name: string, source: string, entryPoint = "main"): Kernel => ({
  name,
  source,
  entryPoint,
  bindings: new Map([["x", 0], ["y", 1]]),
  params: [],
  constants: {},
});
