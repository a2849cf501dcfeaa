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

/** A device on the same GPU, which compiles the faulty text. */
export function withFault({ gpu, info, kernels, maxBindingBytes }: Device, fault: Fault): Device {
  const faulty = (code: string) =>
    fault.lines.reduce((text, [right, wrong]) => text.replaceAll(right, wrong), code);
  const broken = new Proxy(gpu, {
    get(target, name) {
      const value = Reflect.get(target, name, target);
      if (name === "createShaderModule") {
        return (module: GPUShaderModuleDescriptor) =>
          target.createShaderModule({ ...module, code: faulty(module.code) });
      }
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return new Device(broken, info, kernels, maxBindingBytes);
}

/** What the checks say of an operation with a fault. */
export async function checkFault(device: Device, fault: Fault): Promise<CheckRow> {
  const broken = withFault(device, fault);
  const checks = checksFor(broken, { only: [fault.operation] })
    .filter(({ variant }) => variant === fault.variant);
  for await (const row of runChecks(broken, checks)) return row;
  throw new Error(`There is no check of ${fault.operation}.`);
}
