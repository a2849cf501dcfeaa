/**
 * What an adapter offers of matrix units: WebGPU does not have them yet, and wgpu and Dawn have extensions of their own,
 * which they call experimental.
 */
import type { Fragment, MatrixExtension } from "../kernels/mod.ts";
import { DeviceError } from "./errors.ts";

/** There are no matrix units to be had; the message is the reason. */
export class CooperativeError extends DeviceError {
  override name = "CooperativeError";
}

/** What matmul_cooperative.wgsl can have of an adapter, as far as that can be told before a device is made. */
export interface MatrixUnits {
  extension: MatrixExtension;
  /** Those to try, in turn. */
  fragments: readonly Fragment[];
  /** What a device is to be asked for. */
  features: readonly GPUFeatureName[];
}

/** What Dawn says of matrix units. It is not among WebGPU's types. */
interface MatrixConfig {
  componentType: string;
  resultComponentType: string;
  M: number;
  N: number;
  K: number;
}
type Info = GPUAdapterInfo & { subgroupMatrixConfigs?: Iterable<MatrixConfig> };

const besides = ["shader-f16", "subgroups"] as GPUFeatureName[];

/**
 * The matrix units that an adapter offers. Dawn lists their fragments, and the features that it grants; wgpu does
 * neither, so that its device is asked for all, and tries what GPUs have: NVIDIA and AMD 16 × 16, Apple and
 * llvmpipe 8 × 8. Throws CooperativeError where Dawn's list has nothing that serves.
 */
export function matrixUnits({ info, features }: GPUAdapter): MatrixUnits {
  if (!("subgroupMatrixConfigs" in info)) {
    const extension = "wgpu_cooperative_matrix";
    const fragments = [[16, 16, 16], [8, 8, 8]] as const;
    return {
      extension,
      fragments,
      features: ["wgpu-cooperative-matrix" as GPUFeatureName, ...besides],
    };
  }
  const feature = "chromium-experimental-subgroup-matrix" as GPUFeatureName;
  if (!features.has(feature)) throw new CooperativeError("it offers no matrix units through Dawn");
  const missing = besides.filter((each) => !features.has(each));
  if (missing.length > 0) throw new CooperativeError(`it lacks ${missing.join(" and ")}`);
  const fragments = listedFragments([...(info as Info).subgroupMatrixConfigs ?? []]);
  const extension = "chromium_experimental_subgroup_matrix";
  return { extension, fragments, features: [feature, ...besides] };
}

/** The fragments of f16 with sums in f32 that tiles can be made of, the largest first. */
function listedFragments(configs: readonly MatrixConfig[]): Fragment[] {
  const volume = ([m, n, k]: Fragment) => m * n * k;
  const fragments = configs
    .filter((each) => each.componentType === "f16" && each.resultComponentType === "f32")
    .map(({ M, N, K }): Fragment => [M, N, K])
    .filter((fragment) => fragment.every((size) => fragmentSides.includes(size)))
    .sort((a, b) => volume(b) - volume(a));
  if (fragments.length > 0) return fragments;
  const offered = configs.map(({ componentType, resultComponentType, M, N, K }) =>
    `${componentType} with sums in ${resultComponentType} at ${fragmentText([M, N, K])}`
  );
  throw new CooperativeError(
    `its matrix units multiply ${
      offered.join(", ") || "nothing"
    }, and f16 with sums in f32 is needed`,
  );
}

/** Sides of a fragment that the plans' tiles are multiples of, and whose rows start at a multiple of 16 bytes. */
const fragmentSides = [8, 16, 32];

/** `16 × 8 × 16` */
export const fragmentText = (fragment: Fragment): string => fragment.join(" × ");

/** Why a device with matrix units was refused. */
export function refusal(error: unknown): CooperativeError {
  // By WebGPU: the adapter lacks the feature, or nobody there knows its name.
  if (error instanceof TypeError) {
    return new CooperativeError("its WebGPU offers no matrix units", { cause: error });
  }
  return new CooperativeError(error instanceof Error ? error.message : `${error}`, {
    cause: error,
  });
}
