/** Which plan of the matmul family a product takes: fixed for an adapter, or tuned for a class of shapes. */
import type {
  AttentionVariant,
  CooperativePlan,
  MatmulPlan,
  MatmulVariant,
  RegisterPlan,
  Transpose,
  WorkgroupPlan,
} from "../kernels/mod.ts";
import type { DeviceInfo } from "./adapter.ts";
import type { Dtype } from "./pack.ts";
import type { ComputeDtype } from "./precision.ts";
import { fitsTexture } from "./staging.ts";
import { formatOf, type Tensor } from "./tensor.ts";

/** A product of the family, as far as it matters for how fast a plan computes it. */
export interface Product {
  transpose: Transpose;
  rows: number;
  columns: number;
  inner: number;
  /** How B's values lie in memory. */
  dtype: Dtype;
  /** How A's do, and in NT and NN those of C; f32 unless given. */
  dtypeA?: ComputeDtype;
  /** Products in one launch; 1 unless given. */
  stack?: number;
}

/** A plan for each class of shapes that was tuned. */
export type TunedPlans = Readonly<Record<string, MatmulPlan>>;

/** A plan whose kernels the adapter's driver does not take, and what it says to them. */
export interface RefusedPlan {
  plan: MatmulPlan;
  reason: string;
}

/** Whether two plans are the same, in whatever order a file keeps their fields. */
export function samePlan(a: MatmulPlan, b: MatmulPlan): boolean {
  const text = (plan: MatmulPlan) => JSON.stringify(Object.entries(plan).sort());
  return text(a) === text(b);
}

/** Products of at most this many columns, such as a small adapter's, run their invocations down the rows. */
const narrow = 16;
const narrowPlan: RegisterPlan = {
  kind: "registers",
  groups: 1,
  lanes: 1,
  columns: 2,
  broadcast: false,
  workgroup: [1, 16],
  textures: false,
};
const narrowTexturePlan: RegisterPlan = { ...narrowPlan, textures: true };

export const isNarrow = ({ columns }: Pick<Product, "columns">): boolean => columns <= narrow;

/**
 * Products of one class take the same plan: those of one kind, with about as many tiles of 64 × 64 in
 * their results, since that many workgroups keep a GPU busy or do not.
 */
export function shapeClass(product: Product): string {
  const { transpose, rows, columns, dtype, dtypeA = "f32", stack = 1 } = product;
  const tiles = stack * Math.ceil(rows / 64) * Math.ceil(columns / 64);
  const size = tiles <= 16 ? "small" : tiles <= 128 ? "medium" : "large";
  return `${transpose} ${dtypeA === "f32" ? "" : `${dtypeA}×`}${dtype} ${size}`;
}

/** The names that {@link shapeClass} gives. */
const className = /^(NT|NN|TN) (f16×)?(f32|f16|bf16) (small|medium|large)$/;

/**
 * Of plans by class, as a file has kept them, those that are among the candidates: another could not have been timed, and
 * a device would fail at it, or compute what nobody has tested.
 */
export function plansAmong(candidates: readonly MatmulPlan[], plans: TunedPlans): TunedPlans {
  const isSound = ([name, plan]: [string, MatmulPlan]) =>
    className.test(name) && candidates.some((each) => samePlan(each, plan));
  const sound = Object.entries(plans).filter(isSound);
  return sound.length === Object.keys(plans).length ? plans : Object.fromEntries(sound);
}

/** The plan for a product: the tuned one of its class, else the adapter's fixed one; one of its kind for narrow products. */
export function planFor(product: Product, fixed: MatmulPlan, tuned: TunedPlans): MatmulPlan {
  if (isNarrow(product)) {
    if (fixed.kind !== "registers") return narrowTile;
    return fixed.textures ? narrowTexturePlan : narrowPlan;
  }
  return tuned[shapeClass(product)] ?? fixed;
}

/** How a plan's kernel reads the operands, and writes C: from textures, where the plan takes them so and they fit. */
export function operandVariant(
  plan: MatmulPlan,
  a: Tensor,
  b: Tensor,
  c: Tensor,
): Pick<MatmulVariant, "textureA" | "textureB" | "formatA" | "formatB" | "formatC"> {
  const textures = plan.kind === "registers" && plan.textures;
  return {
    textureA: textures && fitsTexture(a),
    textureB: textures && fitsTexture(b),
    formatA: formatOf(a),
    formatB: formatOf(b),
    formatC: formatOf(c),
  };
}

/** The attention kernels for query, key and value [3, rows, heads · headSize], and what goes with them. */
export function attentionVariant(projections: Tensor, headSize: number): AttentionVariant {
  const { broadcastLanes, attentionTextures } = projections.device.kernels;
  const format = formatOf(projections);
  const textures = attentionTextures && fitsTexture(projections);
  return { headSize, lanes: broadcastLanes, textures, format };
}

/** A plan with register tiles of lanes · 4 rows and columns · 4 columns. */
export const registerPlan = (
  lanes: number,
  columns: number,
  options: Partial<RegisterPlan> = {},
): RegisterPlan => ({
  kind: "registers",
  groups: 1,
  lanes,
  columns,
  broadcast: false,
  workgroup: [8, 8],
  textures: false,
  ...options,
});

/** A plan with tiles of y · rows · 4 rows and x · columns · 4 columns in workgroup memory. */
export const workgroupPlan = (
  rows: number,
  columns: number,
  options: Partial<WorkgroupPlan> = {},
): WorkgroupPlan => ({
  kind: "workgroup",
  rows,
  columns,
  inner: 16,
  prefetch: false,
  workgroup: [16, 16],
  ...options,
});

/** What narrow products of other plans get: tiles of 64 × 16, so few that memory must be asked ahead. */
const narrowTile = workgroupPlan(1, 1, { prefetch: true, workgroup: [4, 16] });

/**
 * The plan for an adapter that was not tuned. A GPU's has tiles of 64 × 64: larger ones are too few in short batches.
 * To a CPU a load from a texture costs less than one from a buffer, on llvmpipe as on SwiftShader: see kernels/texture.ts.
 */
export function adapterPlan(info: DeviceInfo): MatmulPlan {
  const { software, subgroupSize, subgroupMinSize } = info;
  if (!software) return workgroupPlan(1, 1, { prefetch: true });
  return subgroupSize === 8 && subgroupMinSize === 8
    ? registerPlan(8, 2, { broadcast: true, workgroup: [8, 1], textures: true })
    : registerPlan(2, 2, { textures: true });
}

/**
 * A plan for matrix units: a tile of rows × columns values, 64 × 64 unless given, for `across` × `down`
 * subgroups of `lanes` invocations.
 */
export function cooperativePlan(
  { extension, fragment, lanes }: Pick<CooperativePlan, "extension" | "fragment" | "lanes">,
  { rows = 64, columns = 64, across = 2, down = 2, inner = 32 } = {},
): CooperativePlan {
  const [m, n] = fragment;
  return {
    kind: "cooperative",
    extension,
    fragment,
    rows: rows / m / down,
    columns: columns / n / across,
    inner,
    lanes,
    workgroup: [lanes * across, down],
  };
}

/**
 * The plan for matrix units that were not tuned. A CPU that plays GPU has its compiler unroll every fragment, and gains
 * nothing from larger tiles: two by two subgroups get one each.
 */
export function fixedCooperativePlan(
  units: Pick<CooperativePlan, "extension" | "fragment" | "lanes">,
  software: boolean,
): CooperativePlan {
  const [m, n, k] = units.fragment;
  return cooperativePlan(units, software ? { rows: 2 * m, columns: 2 * n, inner: k } : {});
}

/** Tiles for matrix units. All are of one precision: whoever chose f16 gets it in every class of shapes. */
function cooperativePlans(fixed: CooperativePlan): CooperativePlan[] {
  const plans = [
    cooperativePlan(fixed, { rows: 128, columns: 128 }),
    cooperativePlan(fixed, { rows: 128, columns: 64 }),
    cooperativePlan(fixed, { rows: 64, columns: 128 }),
    cooperativePlan(fixed, { rows: 128, columns: 128, across: 4 }),
    cooperativePlan(fixed, { rows: 32, columns: 64 }),
    cooperativePlan(fixed, { inner: 64 }),
  ];
  const isWhole = ({ rows, columns }: CooperativePlan) =>
    Number.isInteger(rows) && Number.isInteger(columns);
  const fits = ({ workgroup: [x, y] }: CooperativePlan) => x * y <= mostInvocations;
  return [fixed, ...plans.filter((plan) => isWhole(plan) && fits(plan))];
}

/** Of a workgroup, in WebGPU's defaults. */
const mostInvocations = 256;

/**
 * Plans worth timing on an adapter, the fixed one first. None for GPUs spills registers where a GPU's compiler
 * was asked: docs/performance.md has its table, and what was dropped for it.
 */
export function candidatePlans({ software }: DeviceInfo, fixed: MatmulPlan): MatmulPlan[] {
  if (fixed.kind === "cooperative") return software ? [fixed] : cooperativePlans(fixed);
  if (software) {
    // Larger tiles gain nothing on llvmpipe, and an epilogue in them takes seconds to compile.
    return fixed.kind === "registers" ? [fixed, { ...fixed, textures: !fixed.textures }] : [fixed];
  }
  const tiles = [true, false].flatMap((prefetch) => [
    workgroupPlan(1, 1, { prefetch }), // 64 × 64
    workgroupPlan(2, 1, { prefetch }), // 128 × 64
    workgroupPlan(2, 2, { prefetch }), // 128 × 128
    workgroupPlan(1, 1, { prefetch, workgroup: [8, 8] }), // 32 × 32
  ]);
  const others = [...tiles, registerPlan(2, 1), registerPlan(1, 2)];
  return [fixed, ...others.filter((plan) => !samePlan(plan, fixed))];
}
