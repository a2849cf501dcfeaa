/** What was measured, as a document to share: `deno task bench:compare` reads the kernels' times in it. */
import type { Device, KernelChoice } from "../../engine/device.ts";
import { allowed, type CheckRow } from "../../gradcheck/mod.ts";
import type { KernelTimes } from "../../kernelbench/kernel_bench.ts";
import type { StepTimes } from "./step_times.ts";

/** What is known of the reader's machine, as results of the benchmarks have it. */
export interface Machine {
  processor: string;
  cores: number;
  os: string;
  /** The browser. */
  runtime: string;
}

export interface Measurements {
  checks: readonly CheckRow[];
  kernels?: KernelTimes;
  steps: readonly StepTimes[];
}

export interface MeasuredDocument {
  kind: "page";
  version: 1;
  created: string;
  machine: Machine;
  adapter: Device["info"];
  /** Which kernels the engine chose for the adapter. */
  choice: KernelChoice;
  gradcheck?: { allowed: typeof allowed; rows: readonly CheckRow[] };
  /** bench/README.md says what the fields mean. */
  kernels?: KernelTimes & {
    kind: "kernels";
    version: 1;
    created: string;
    machine: Machine;
    adapter: Device["info"];
  };
  steps?: readonly StepTimes[];
}

/** Parts that were not measured are left out. */
export function measuredDocument(
  { info, kernels: choice }: Pick<Device, "info" | "kernels">,
  machine: Machine,
  { checks, kernels, steps }: Measurements,
  now: Date,
): MeasuredDocument {
  const head = {
    version: 1 as const,
    created: now.toISOString().slice(0, 16) + "Z",
    machine,
    adapter: info,
  };
  return {
    kind: "page",
    ...head,
    choice,
    ...checks.length > 0 && { gradcheck: { allowed, rows: checks } },
    ...kernels && { kernels: { kind: "kernels" as const, ...head, ...kernels } },
    ...steps.length > 0 && { steps },
  };
}
