/** Mistakes that one makes in a kernel, made on purpose: the checks against float64 are to find them. */
import { Device } from "../../engine/device.ts";
import { type CheckRow, checksFor, type OperationName, runChecks } from "../../gradcheck/mod.ts";

export interface Fault {
  name: string;
  /** What is wrong, in a sentence. */
  what: string;
  operation: OperationName;
  /** Of the operation's checks, where it has several. */
  variant?: string;
  /** A line of WGSL and what takes its place; of several the one that the adapter's kernel has. */
  lines: readonly (readonly [right: string, wrong: string])[];
}

export const faults: readonly Fault[] = [
  {
    name: "gelu",
    what: "GELU's derivative without x φ(x): the product rule's second term is forgotten.",
    operation: "gelu",
    lines: [[
      "dx[i] = storeVector(loadVector(dy[i]) * (cumulative(value) + value * density));",
      "dx[i] = storeVector(loadVector(dy[i]) * cumulative(value));",
    ]],
  },
  {
    name: "softmax",
    what: "Softmax's derivative taken value by value: each depends on all of its row.",
    operation: "softmax",
    lines: [[
      "dx[start + i] = result[start + i] * (dy[start + i] - sum);",
      "dx[start + i] = result[start + i] * dy[start + i];",
    ]],
  },
  {
    name: "layerNorm",
    what: "LayerNorm's derivative as if the mean did not move with x.",
    operation: "layerNorm",
    lines: [[
      "dx[start + i] = storeVector(rstd * (g - means.x - normalised * means.y));",
      "dx[start + i] = storeVector(rstd * (g - normalised * means.y));",
    ]],
  },
  {
    name: "LoRA",
    what:
      "The gradient of A without s = α/r: AdamW divides by a gradient's size, so no loss tells it.",
    operation: "linear",
    variant: "LoRA",
    lines: [
      ["addGradient(id, local, params.scale);", "addGradient(id, local, 1);"],
      ["let kept = params.scale * loadVector(x[at])", "let kept = loadVector(x[at])"],
    ],
  },
];

/** A line that was changed in a kernel's text, as the GPU's compiler got it, between those that stand around it. */
export interface Change {
  before: string;
  right: string;
  wrong: string;
  after: string;
}

/** A device on the same GPU, which compiles the faulty text; `changes` gets what was changed in it. */
function withFault(
  { gpu, info, kernels, maxBindingBytes }: Device,
  fault: Fault,
  changes: Change[] = [],
): Device {
  const broken = new Proxy(gpu, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "createShaderModule") {
        return (module: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ ...module, code: faulty(module.code, fault, changes) });
      }
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new Device(broken, info, kernels, maxBindingBytes);
}

function faulty(code: string, { lines }: Fault, changes: Change[]): string {
  const text = code.split("\n");
  const result = text.map((line) =>
    lines.reduce((changed, [right, wrong]) => changed.replaceAll(right, wrong), line)
  );
  const at = result.findIndex((line, index) => line !== text[index]);
  if (at >= 0) {
    const [before, after] = [text[at - 1] ?? "", text[at + 1] ?? ""];
    changes.push({ before, right: text[at], wrong: result[at], after });
  }
  return result.join("\n");
}

/** What the checks say of an operation, with its fault or without, and what was changed for it. */
export interface FaultRun {
  row: CheckRow;
  change?: Change;
}

/** Checks an operation with its kernel broken; throws where the adapter's kernel has none of the fault's lines. */
export async function checkFault(device: Device, fault: Fault): Promise<FaultRun> {
  const changes: Change[] = [];
  const row = await checkOperation(withFault(device, fault, changes), fault);
  const [change] = changes;
  if (change === undefined) throw new Error(`No kernel of ${fault.name} has the fault's line.`);
  return { row, change };
}

/** Checks the operation of a fault as it is. */
export const checkWhole = async (device: Device, fault: Fault): Promise<FaultRun> => ({
  row: await checkOperation(device, fault),
});

async function checkOperation(device: Device, { operation, variant }: Fault): Promise<CheckRow> {
  const checks = checksFor(device, { only: [operation] })
    .filter((check) => check.variant === variant);
  for await (const row of runChecks(device, checks)) return row;
  throw new Error(`There is no check of ${operation}.`);
}
