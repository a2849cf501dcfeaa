/** Every kernel that an adapter which is no CPU may get, as text: what a GPU's compiler can judge without the GPU. */
import type { DeviceInfo } from "../engine/adapter.ts";
import { adapterPlan, candidatePlans, planFor } from "../engine/plans.ts";
import * as catalogue from "../kernels/mod.ts";
import type { Kernel, MatmulPlan, MatmulVariant } from "../kernels/mod.ts";

/** A kernel, and what it is told under in a table with its like. */
export interface GpuKernel {
  group: string;
  kernel: Kernel;
}

/** A GPU of no name: 32 to 64 invocations a subgroup. */
const info: DeviceInfo = {
  description: "any GPU",
  vendor: "",
  architecture: "",
  software: false,
  subgroupSize: 0,
  subgroupMinSize: 32,
  namedExtensions: [],
};

/** Values of a head: those of encoders that are loaded, and 26, which is padded. */
const headSizes = [16, 26, 32, 64, 96, 128];
/** Invocations a row in LayerNorm and softmax on a GPU. */
const rowLanes = 32;

const bare: MatmulVariant = {
  transpose: "NT",
  bias: false,
  accumulate: false,
  second: false,
  gelu: false,
  keep: false,
  dropout: false,
  residual: false,
  textureA: false,
  textureB: false,
  packB: "f32",
};

/** Products as training launches them: the plainest, those with most in them, the gradients. */
const variants: Partial<MatmulVariant>[] = [
  { bias: true },
  { bias: true, second: true, gelu: true, keep: true, packB: "bf16" },
  { bias: true, second: true, dropout: true, residual: true },
  { bias: true, second: true, gelu: true, keep: true, dropout: true, residual: true, packB: "f16" },
  { transpose: "NN", accumulate: true },
  { transpose: "NN", accumulate: true, packB: "bf16" },
  { transpose: "TN", accumulate: true },
];

function planName(plan: MatmulPlan): string {
  const { rows, columns } = catalogue.workgroupTile(plan);
  const how = plan.kind === "workgroup" && plan.prefetch ? ", loaded ahead" : "";
  return `matmul, ${plan.kind} ${rows} × ${columns}${how}`;
}

function matmulKernels(): GpuKernel[] {
  const fixed = adapterPlan(info);
  const narrow = { transpose: "NT", rows: 64, columns: 8, inner: 64, dtype: "f32" } as const;
  const plans = [...candidatePlans(info, fixed), planFor(narrow, fixed, {})];
  return plans.flatMap((plan) =>
    variants.map((variant) => ({
      group: planName(plan),
      kernel: catalogue.matmul(plan, { ...bare, ...variant }),
    }))
  );
}

function attentionKernels(): GpuKernel[] {
  return headSizes.flatMap((size) => {
    const headSize = catalogue.paddedHeadSize(size, 0);
    const { forward, backwardQuery, backwardKeyValue } = catalogue.attention({
      headSize,
      lanes: 0,
      textures: false,
    });
    return [forward, backwardQuery, backwardKeyValue].map((kernel) => ({
      group: `${kernel.name}, heads of ${headSize}`,
      kernel,
    }));
  });
}

const isKernel = (value: unknown): value is Kernel =>
  typeof value === "object" && value !== null && "entryPoint" in value;

/** All of them; those of one operation that have no plan are one group. */
export function gpuKernels(): GpuKernel[] {
  const bools = [true, false];
  const scaled = bools.flatMap((vectors) =>
    bools.map((divided) => catalogue.scaleColumns({ vectors, divided, shifted: divided }))
  );
  const operations: object[] = [
    ...Object.values(catalogue).filter((value) => typeof value === "object"),
    catalogue.softmax(rowLanes),
    catalogue.layerNorm(rowLanes),
    catalogue.loraA(0),
    catalogue.loraB(0),
    ...scaled,
    [catalogue.loraRowNorms("f32"), catalogue.loraRowNorms("bf16")],
  ];
  const others = operations.flatMap((kernels) => Object.values(kernels).filter(isKernel));
  return [
    ...matmulKernels(),
    ...attentionKernels(),
    ...others.map((kernel) => ({ group: kernel.name.split(".")[0], kernel })),
  ];
}
