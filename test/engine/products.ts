/** What the tests of the matmul family share: shapes, options, plans and checks against float64. */
import { createDevice, Device } from "../../engine/device.ts";
import { adapterPlan, cooperativePlan, workgroupPlan } from "../../engine/plans.ts";
import type { CooperativePlan, MatmulPlan, RegisterPlan, Transpose } from "../../kernels/mod.ts";
import {
  type ProductOptions,
  runProduct,
  runStack,
  type Shape,
  type StackOptions,
} from "../../gradcheck/product_case.ts";
import { assertClose } from "./check.ts";

/** One row, edges inside a tile, several tiles, and an inner size without a pattern. */
export const vectorShapes: Shape[] = [[1, 4, 20], [8, 12, 36], [68, 20, 44], [132, 36, 68]];
/** Shapes that vec4 loads cannot read: columns, inner sizes and rows that are no multiple of 4. */
export const raggedShapes: Shape[] = [[1, 1, 1], [5, 7, 17], [67, 13, 13], [9, 6, 20], [66, 5, 24]];
/** Few columns: the tile that runs down the rows. */
export const narrowShapes: Shape[] = [[1, 4, 4], [68, 20, 8], [132, 36, 12], [200, 12, 16]];
/** Few columns and a long sum, which a workgroup shares: rows, columns and inner sizes with a remainder. */
export const splitShapes: Shape[] = [[1, 128, 1], [17, 131, 3], [33, 200, 8], [16, 260, 13], [
  5,
  129,
  16,
]];
export const transposes: Transpose[] = ["NT", "NN", "TN"];

/** The options that the operations use. */
export const usual: [Transpose, ProductOptions][] = [
  ["NT", { bias: true }],
  ["NT", { bias: true, second: 8 }],
  ["NN", {}],
  ["NN", { accumulate: true }],
  ["TN", { accumulate: true }],
];

export function allOptions(transpose: Transpose): ProductOptions[] {
  const options: ProductOptions[] = [
    {},
    { bias: true },
    { accumulate: true },
    { bias: true, accumulate: true },
  ];
  return transpose === "NT" ? [...options, { second: 8 }, { bias: true, second: 4 }] : options;
}

export async function checkMatmul(
  device: Device,
  transpose: Transpose,
  shape: Shape,
  options: ProductOptions = {},
): Promise<void> {
  const what = `${transpose} [${shape.join(", ")}] with ${JSON.stringify(options)} on ` +
    JSON.stringify(device.kernels.matmul);
  const { result, kept } = await runProduct(device, transpose, shape, options);
  assertClose(what, result.actual, result.expected);
  if (kept) assertClose(`${what}, before GELU`, kept.actual, kept.expected);
}

/** A stack of products against one product after the other. */
export async function checkStack(
  device: Device,
  transpose: Transpose,
  shape: Shape,
  options: StackOptions = {},
): Promise<void> {
  const { actual, expected } = await runStack(device, transpose, shape, options);
  const what = `stack of ${transpose} [${shape.join(", ")}] with ${JSON.stringify(options)} on ` +
    JSON.stringify(device.kernels.matmul);
  assertClose(what, actual, expected);
}

export const adapter = await createDevice();
/** Rows are handed round among so many invocations: SwiftShader's subgroups have 4. */
const shared = Math.min(8, adapter.info.subgroupMinSize);
export const subgroups = shared >= 4;
export const plain = (groups: number, lanes: number, columns: number): RegisterPlan => ({
  kind: "registers",
  groups,
  lanes,
  columns,
  broadcast: false,
  workgroup: [8, 8],
  textures: false,
});
export const broadcast = (groups: number, columns: number, lanes = shared): RegisterPlan => ({
  ...plain(groups, lanes, columns),
  broadcast: true,
  workgroup: [adapter.info.subgroupSize || 32, 1],
});
export const workgroup = (
  rows: number,
  columns: number,
  inner: number,
  [x, y]: [number, number],
  { prefetch = false } = {},
) => workgroupPlan(rows, columns, { inner, prefetch, workgroup: [x, y] });
export const gpuPlan = adapterPlan({ ...adapter.info, software: false });

/** A device with matrix units; undefined where they are not granted. */
export const units = await createDevice({ matmulPrecision: "f16" }).catch(() => undefined);
export const proven = units?.kernels.matmul as CooperativePlan | undefined;
/** A tile of one fragment for each of 2 × 2 subgroups, and one along k; or of as many as given. */
export const cooperative = (fragments = 1, across = 2, steps = 1): CooperativePlan => {
  const units = proven ?? cooperativePlan({
    extension: "wgpu_cooperative_matrix",
    fragment: [8, 8, 8],
    lanes: 8,
  });
  const [m, n, k] = units.fragment;
  return cooperativePlan(units, {
    rows: fragments * m * 2,
    columns: fragments * n * across,
    across,
    inner: steps * k,
  });
};

export const needsSubgroups = (plan: MatmulPlan) => plan.kind === "registers" && plan.broadcast;
export const nameOf = (plan: MatmulPlan) =>
  needsSubgroups(plan) ? "broadcast" : plan.kind === "registers" ? "plain" : plan.kind;

/** The engine on the same GPU, with another plan. */
export const withPlan = (plan: MatmulPlan) =>
  new Device(
    plan.kind === "cooperative" ? units!.gpu : adapter.gpu,
    adapter.info,
    { ...adapter.kernels, matmul: plan },
  );

export function testPlan(
  name: string,
  plan: MatmulPlan,
  run: (device: Device) => Promise<void>,
): void {
  Deno.test({
    name: `matmul, ${nameOf(plan)} plan: ${name}`,
    ignore: (needsSubgroups(plan) && !subgroups) || (plan.kind === "cooperative" && !units),
    fn: () => run(withPlan(plan)),
  });
}
