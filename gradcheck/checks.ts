/** What is checked on a device: every operation of the table, the matmul family by plans, the optimiser. */
import type { Device, KernelChoice } from "../engine/device.ts";
import { candidatePlans, samePlan } from "../engine/plans.ts";
import { type MatmulPlan, type Transpose, workgroupBytes } from "../kernels/mod.ts";
import { runAdamW } from "./adamw.ts";
import { inMiddle, type OpCase, runOp } from "./op_case.ts";
import { loraLinears, opCases } from "./op_cases.ts";
import { type ProductOptions, runProduct, runStack, type Shape } from "./product_case.ts";
import { norm, relativeError } from "./values.ts";

/** How far results and gradients are off, as parts of what they should be, and their bits. */
export interface Measured {
  forward: number;
  /** Undefined where only a result is checked. */
  gradient?: number;
  /** All that was read back, to be compared with a second run. */
  bits: Float32Array[];
}

/** One thing to run, on one choice of shapes. */
export interface Case {
  /** Such as `[67, 12] [13, 12]`. */
  shapes: string;
  run(device: Device): Promise<Measured>;
}

/** A row of the table: an operation in one way of computing it. */
export interface Check {
  operation: OperationName;
  /** Which of the operation's ways, where there are several. */
  variant?: string;
  /** What differs from the adapter's own choice of kernels. */
  kernels?: Partial<KernelChoice>;
  cases: Case[];
}

export type OperationName = keyof typeof opCases | "matmul" | "adamw";

export const operationNames = [...Object.keys(opCases), "matmul", "adamw"] as OperationName[];

/** What the tests allow too: a share of the norm of what is expected. */
export const allowed = { forward: 1e-5, gradient: 1e-4 };

/** The same where activations are f16: results are rounded to 2⁻¹¹ of their size, and gradients at every stage. */
const allowedF16 = { forward: 2e-3, gradient: 4e-3 };

/** What a device's results may be off by. */
export const allowedOn = ({ kernels }: Pick<Device, "kernels">) =>
  kernels.activations === "f16" ? allowedF16 : allowed;

/** Gradients that cancel out to nearly nothing are held against a hundredth of all gradients' norm. */
const floor = 0.01;

async function measureOp(device: Device, op: OpCase, only?: number): Promise<Measured> {
  const { y, gradients, expected } = await runOp(device, op, only);
  const all = norm(expected.gradients.map(norm));
  const errors = expected.gradients.map((gradient, i) => {
    const actual = gradients[i];
    const isFrozen = only !== undefined && only !== i;
    if (isFrozen || !actual) return isFrozen === !actual ? 0 : Infinity;
    return relativeError(actual, gradient, floor * all);
  });
  return {
    forward: relativeError(y, expected.y),
    gradient: Math.max(...errors),
    bits: [y, ...gradients.flatMap((gradient) => gradient ?? [])],
  };
}

const bracketed = (shapes: number[][]) => shapes.map((shape) => `[${shape.join(", ")}]`).join(" ");

/** A case as it is; with `all` also each input alone, and in the middle of a graph. */
function opRuns(op: OpCase, all: boolean): Case[] {
  const shapes = bracketed(op.shapes);
  const plain = { shapes, run: (device: Device) => measureOp(device, op) };
  if (!all) return [plain];
  const alone = op.shapes.length < 2 ? [] : op.shapes.map((_, i) => ({
    shapes: `${shapes}, input ${i} alone`,
    run: (device: Device) => measureOp(device, op, i),
  }));
  const within = {
    shapes: `${shapes}, in a graph`,
    run: (device: Device) => measureOp(device, inMiddle(op)),
  };
  return [plain, ...alone, within];
}

function opChecks(all: boolean): Check[] {
  const checkOf = (operation: OperationName, cases: OpCase[], variant?: string): Check => ({
    operation,
    variant,
    cases: cases.flatMap((op) => opRuns(op, all)),
  });
  return Object.entries(opCases).flatMap(([name, cases]) => {
    const operation = name as keyof typeof opCases;
    if (operation !== "linear") return [checkOf(operation, cases)];
    const plain = cases.filter((op) => !loraLinears.includes(op));
    return [checkOf(operation, plain), checkOf(operation, loraLinears, "LoRA")];
  });
}

/** On an adapter that hands rows round in subgroups, the kernels that other adapters take. */
function otherKernels(device: Device): Check[] {
  if (device.kernels.broadcastLanes === 0) return [];
  const kernels = { broadcastLanes: 0, rowLanes: 32, attentionTextures: false };
  return opChecks(false)
    .filter(({ operation, variant }) =>
      ["attention", "layerNorm", "softmax"].includes(operation) || variant !== undefined
    )
    .map((check) => ({
      ...check,
      variant: [check.variant, "by workgroups"].filter((part) => part).join(", "),
      kernels,
    }));
}

/** The options that operations use, forward and backward. */
const usual: [Transpose, ProductOptions][] = [
  ["NT", { bias: true }],
  ["NT", { bias: true, second: 8 }],
  ["NT", { bias: true, gelu: true, residual: true }],
  ["NN", {}],
  ["NN", { accumulate: true }],
  ["TN", { accumulate: true }],
];

/** Several tiles with edges, one tile, and operands that fit into textures. */
const shapes: Shape[] = [[132, 36, 68], [4, 8, 20], [64, 64, 64]];
/** What no tile fits: columns, inner sizes and rows that are no multiples of 4, and a long sum of few columns. */
const strided: Shape[] = [[1, 1, 1], [5, 7, 17], [67, 13, 13], [66, 5, 24], [17, 131, 3]];
const narrow: Shape[] = [[1, 4, 4], [68, 20, 8], [200, 12, 16]];

function productRuns(shapes: Shape[], options: [Transpose, ProductOptions][]): Case[] {
  return shapes.flatMap((shape) =>
    options.map(([transpose, option]) => ({
      shapes: `${transpose} [${shape.join(", ")}] ${JSON.stringify(option)}`,
      async run(device: Device) {
        const { result, kept } = await runProduct(device, transpose, shape, option);
        const outcomes = [result, ...(kept ? [kept] : [])];
        return {
          forward: Math.max(...outcomes.map((each) => relativeError(each.actual, each.expected))),
          bits: outcomes.map(({ actual }) => actual),
        };
      },
    }))
  );
}

const stackRuns = (["NT", "NN", "TN"] as const).map((transpose): Case => ({
  shapes: `stack of ${transpose} [68, 20, 44]`,
  async run(device) {
    const options = transpose === "NT" ? { bias: true, layers: [0, 2] } : { accumulate: true };
    const { actual, expected } = await runStack(device, transpose, [68, 20, 44], options);
    return { forward: relativeError(actual, expected), bits: [actual] };
  },
}));

/** How a plan is told in a row: `registers 16×8, subgroup, textures`. */
function planName(plan: MatmulPlan): string {
  if (plan.kind === "registers") {
    const rows = plan.lanes * plan.groups * 4;
    const how = [plan.broadcast ? "subgroup" : "", plan.textures ? "textures" : ""];
    return [`registers ${rows}×${plan.columns * 4}`, ...how].filter((part) => part).join(", ");
  }
  const { rows, columns, workgroup: [x, y] } = plan;
  return plan.kind === "workgroup"
    ? `workgroup ${4 * rows * y}×${4 * columns * x}${plan.prefetch ? ", prefetch" : ""}`
    : `matrix units ${rows}×${columns} of ${plan.fragment.join("×")}`;
}

/** The plans that this adapter takes, or that the tuner may choose for it, its fixed one first. */
function matmulChecks({ info, kernels, gpu }: Device, all: boolean): Check[] {
  const fits = (plan: MatmulPlan) =>
    workgroupBytes(plan) <= gpu.limits.maxComputeWorkgroupStorageSize;
  const packed: [Transpose, ProductOptions][] = (["bf16", "f16"] as const).flatMap((packB) => [
    ["NT", { bias: true, packB }],
    ["NN", { accumulate: true, packB }],
  ]);
  const plans = candidatePlans(info, kernels.matmul).filter(fits);
  const tiled = plans.map((plan): Check => {
    const isFixed = samePlan(plan, kernels.matmul);
    const options = all ? [...usual, ...packed] : usual;
    return {
      operation: "matmul",
      variant: planName(plan),
      kernels: { matmul: plan },
      cases: [
        ...productRuns(all || isFixed ? shapes : shapes.slice(0, 1), options),
        ...(all || isFixed ? stackRuns : []),
      ],
    };
  });
  const plain = usual.filter(([, { gelu }]) => !gelu); // no epilogue where no tile fits
  return [
    ...tiled,
    { operation: "matmul", variant: "few columns", cases: productRuns(narrow, usual) },
    { operation: "matmul", variant: "no tile fits", cases: productRuns(strided, plain) },
  ];
}

const adamwCheck: Check = {
  operation: "adamw",
  cases: ([[100, 60], [4, 1], [5000, 33]] as const).map((sizes) => ({
    shapes: `[${sizes[0]}] with decay, [${sizes[1]}] without`,
    async run(device) {
      const { norms, moves } = await runAdamW(device, sizes);
      return {
        forward: relativeError(norms.actual, norms.expected),
        gradient: relativeError(moves.actual, moves.expected),
        bits: [Float32Array.from(moves.actual)],
      };
    },
  })),
};

/**
 * The checks for a device; `all` adds each input trained alone, the operations in the middle of a graph, kernels
 * that the adapter has no need of, and weights in 16 bits. `only` names operations.
 */
export function checksFor(
  device: Device,
  { all = false, only }: { all?: boolean; only?: readonly OperationName[] } = {},
): Check[] {
  const checks = [
    ...opChecks(all),
    ...matmulChecks(device, all),
    adamwCheck,
    ...(all ? otherKernels(device) : []),
  ];
  return checks.filter(({ operation }) => !only || only.includes(operation));
}
