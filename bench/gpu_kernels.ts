/** Every kernel that an adapter which is no CPU may get, as text: what a GPU's compiler can judge without the GPU. */
import type { DeviceInfo } from "../engine/adapter.ts";
import { adapterPlan, candidatePlans, planFor } from "../engine/plans.ts";
import * as catalogue from "../kernels/mod.ts";
import type { Format, Kernel, MatmulPlan, MatmulVariant } from "../kernels/mod.ts";

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
/** How activations lie in memory: the usual way, and that of a GPU which has f16. */
const formats: Format[] = ["f32", "native f16"];
const suffix = (format: Format) => format === "f32" ? "" : ", f16";
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
  formatA: "f32",
  formatB: "f32",
  formatC: "f32",
};

/** Products as training launches them: the plainest, those with most in them, the gradients. */
const variants: Partial<MatmulVariant>[] = [
  { bias: true },
  { bias: true, second: true, gelu: true, keep: true, formatB: "bf16" },
  { bias: true, second: true, dropout: true, residual: true },
  {
    bias: true,
    second: true,
    gelu: true,
    keep: true,
    dropout: true,
    residual: true,
    formatB: "f16",
  },
  { transpose: "NN", accumulate: true },
  { transpose: "NN", accumulate: true, formatB: "bf16" },
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
    formats.flatMap((format) =>
      variants.map((variant) => ({
        group: planName(plan) + suffix(format),
        kernel: catalogue.matmul(plan, { ...bare, ...variant, ...activationsIn(format, variant) }),
      }))
    )
  );
}

/** What of a product's operands are activations, or their gradients. */
function activationsIn(format: Format, { transpose, formatB }: Partial<MatmulVariant>) {
  const weightsOwn = formatB && format !== "f32" ? format : formatB;
  return transpose === "TN"
    ? { formatA: format, formatB: format }
    : { formatA: format, formatC: format, ...(weightsOwn && { formatB: weightsOwn }) };
}

function attentionKernels(): GpuKernel[] {
  return formats.flatMap((format) => headSizes.map((size) => ({ format, size }))).flatMap(
    ({ format, size }) => {
      const headSize = catalogue.paddedHeadSize(size, 0);
      const { forward, backwardQuery, backwardKeyValue } = catalogue.attention({
        headSize,
        lanes: 0,
        textures: false,
        format,
      });
      return [forward, backwardQuery, backwardKeyValue].map((kernel) => ({
        group: `${kernel.name}, heads of ${headSize}${suffix(format)}`,
        kernel,
      }));
    },
  );
}

const isKernel = (value: unknown): value is Kernel =>
  typeof value === "object" && value !== null && "entryPoint" in value;

/** All of them; those of one operation that have no plan are one group. */
export function gpuKernels(): GpuKernel[] {
  const bools = [true, false];
  const scaled = bools.flatMap((vectors) =>
    bools.map((divided) =>
      catalogue.scaleColumns({ vectors, divided, shifted: divided, format: "f32" })
    )
  );
  const inF32: object[] = [
    ...Object.values(catalogue).filter((value) => typeof value === "object"),
    catalogue.softmax(rowLanes),
    ...scaled,
    [catalogue.loraRowNorms("f32"), catalogue.loraRowNorms("bf16")],
  ];
  const kernelsOf = (operations: object[], format: Format): GpuKernel[] =>
    operations.flatMap((kernels) => Object.values(kernels).filter(isKernel)).map((kernel) => ({
      group: kernel.name.split(".")[0] + suffix(format),
      kernel,
    }));
  return [
    ...matmulKernels(),
    ...attentionKernels(),
    ...kernelsOf(inF32, "f32"),
    ...formats.flatMap((format) => kernelsOf(activationKernels(format), format)),
  ];
}

/** The operations that have kernels for each format of activations. */
function activationKernels(format: Format): object[] {
  const { add, scale, dropout, columnSum, gelu, relu, silu, tanh } = catalogue;
  return [
    ...[add, scale, dropout, columnSum, gelu, relu, silu, tanh].map((of) => of(format)),
    catalogue.layerNorm({ lanes: rowLanes, format }),
    catalogue.loraA({ subgroup: 0, format }),
    catalogue.loraB({ subgroup: 0, format }),
    catalogue.embedding({ table: "f32", rows: format }),
    [
      catalogue.convert({ from: format, to: "f32" }),
      catalogue.convert({ from: "f32", to: format }),
    ],
    ...(format === "f32" ? [] : [
      catalogue.embedding({ table: format, rows: "f32" }),
      catalogue.scaleColumns({ vectors: true, divided: true, shifted: true, format }),
      [catalogue.loraRowNorms(format)],
    ]),
  ];
}
