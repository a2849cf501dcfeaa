/**
 * The kernel for matrix units at fragments of GPUs that nobody here has, in the words of both compilers, on units that
 * WGSL plays: which value of which tile goes where is all the kernel's own.
 */
import assert from "node:assert/strict";
import { Device } from "../../engine/device.ts";
import { sourceFor } from "../../engine/dialect.ts";
import { cooperativePlan } from "../../engine/plans.ts";
import {
  type CooperativePlan,
  type Fragment,
  type Kernel,
  matmul as tiledKernel,
  type MatrixExtension,
  type Transpose,
} from "../../kernels/mod.ts";
import type { ProductOptions, Shape } from "../../gradcheck/product_case.ts";
import { adapter, checkMatmul, checkStack, proven, units } from "./products.ts";
import { playUnits, withoutUnits } from "./software_fragments.ts";

const tint = "chromium_experimental_subgroup_matrix";
const wgpu = "wgpu_cooperative_matrix";
const square = (size: number): Fragment => [size, size, size];

/** Those of NVIDIA, AMD, Intel and Apple, and what tells the three sizes apart. */
const fragments: [MatrixExtension, Fragment][] = [
  [wgpu, square(8)],
  [wgpu, square(16)],
  [tint, square(8)],
  [tint, square(16)],
  [tint, [16, 8, 16]],
  [tint, [16, 8, 8]],
  [tint, [8, 16, 16]],
  [tint, [8, 16, 32]],
  [tint, [32, 16, 8]],
];

/** Every transpose, and all that an epilogue does. */
const products: [Transpose, ProductOptions][] = [
  ["NT", { bias: true, gelu: true, dropout: 0.2, residual: true, second: 8 }],
  ["NN", { residual: true, packB: "bf16" }],
  ["TN", { accumulate: true }],
];
/** Edges within a fragment, and more than a tile; an inner size that is no multiple of a fragment's. */
const shapes: Shape[] = [[9, 12, 20], [68, 100, 76]];

/** Subgroups of so many invocations in 2 rows of 2, each with rows × columns fragments, `steps` of them along k. */
function planOf(
  extension: MatrixExtension,
  fragment: Fragment,
  { rows = 1, columns = 1, steps = 1, lanes = 16 } = {},
): CooperativePlan {
  const [m, n, k] = fragment;
  return cooperativePlan(
    { extension, fragment, lanes },
    { rows: 2 * rows * m, columns: 2 * columns * n, inner: steps * k },
  );
}

const played = (plan: CooperativePlan) =>
  playUnits(new Device(adapter.gpu, adapter.info, { ...adapter.kernels, matmul: plan }), plan);

for (const [extension, fragment] of fragments) {
  const name = `${fragment.join(" × ")} in ${extension.split("_")[0]}'s words`;
  Deno.test(`matrix units, played: ${name}`, async () => {
    const device = played(planOf(extension, fragment));
    for (const [transpose, options] of products) {
      for (const shape of shapes) await checkMatmul(device, transpose, shape, options);
    }
  });
}

Deno.test("matrix units, played: 2 × 3 fragments of 16 × 8 × 8, two steps together, in stacks", async () => {
  const plan = planOf(tint, [16, 8, 8], { rows: 2, columns: 3, steps: 2, lanes: 32 });
  const device = played(plan);
  await checkStack(device, "NT", [68, 20, 60], { bias: true, layers: [0, 2] });
  await checkStack(device, "NN", [68, 20, 60]);
  await checkStack(device, "TN", [68, 20, 60], { accumulate: true });
});

/** The real text, with all that may follow a product. */
const kernelOf = (plan: CooperativePlan, transpose: Transpose) =>
  tiledKernel(plan, {
    ...{ transpose, second: transpose === "NT" },
    ...{ formatA: "f32", formatB: transpose === "TN" ? "f32" : "f16", formatC: "f32" },
    ...{ bias: true, accumulate: true, gelu: true, keep: true, dropout: true, residual: true },
    ...{ textureA: false, textureB: false },
  });

Deno.test(
  "matrix units: their own compiler takes the text at every fragment, whatever the adapter has",
  {
    ignore: proven?.extension !== tint,
  },
  async () => {
    const { gpu, info } = units!;
    const complaint = async (kernel: Kernel) => {
      gpu.pushErrorScope("validation");
      gpu.createShaderModule({ code: sourceFor(kernel, info.namedExtensions) });
      return (await gpu.popErrorScope())?.message;
    };
    for (const [extension, fragment] of fragments) {
      if (extension !== tint) continue;
      const plan = planOf(extension, fragment, { rows: 2, columns: 3, steps: 2 });
      for (const transpose of ["NT", "NN", "TN"] as const) {
        assert.equal(
          await complaint(kernelOf(plan, transpose)),
          undefined,
          `${fragment} ${transpose}`,
        );
      }
    }
    const kernel = kernelOf(planOf(tint, [16, 8, 32]), "NN");
    const source = kernel.source.replace("left<f16, 32, 16>", "left<f16, 16, 32>");
    assert.match(await complaint({ ...kernel, source }) ?? "", /subgroupMatrixMultiplyAccumulate/);
  },
);

Deno.test("matrix units, played: a text whose fragments do not fit, or with words unknown, is refused", () => {
  const plan = planOf(tint, [16, 8, 32]);
  const kernel = kernelOf(plan, "NT");
  const changed = (from: string, to: string) => {
    const source = kernel.source.replace(from, to);
    assert.notEqual(source, kernel.source);
    return () => withoutUnits({ ...kernel, source }, plan);
  };
  assert.doesNotMatch(withoutUnits(kernel, plan), /subgroup|f16/);
  assert.throws(changed("left<f16, 32, 16>", "left<f16, 16, 32>"), /No fragments of one product/);
  assert.throws(changed("result<f32", "result<f16"), /No fragments of one product/);
  assert.throws(
    changed("<FragmentA, row_major", "<FragmentA, any_major"),
    /No plain WGSL is known for "subgroupMatrix/,
  );
});
