/**
 * Every kernel on the adapter at hand, forward and backward, against the float64 reference. Wrong gradients on one
 * vendor's GPU are a real fault elsewhere; a run of this on the machine where a loss looks wrong tells whether it is.
 */
import { Device } from "../engine/device.ts";
import { samePlan } from "../engine/plans.ts";
import { allowed, allowedOn, type Case, type Check, type Measured } from "./checks.ts";
export {
  allowed,
  allowedOn,
  type Check,
  checksFor,
  type OperationName,
  operationNames,
} from "./checks.ts";

/** What came of a check. */
export interface CheckRow {
  operation: string;
  variant?: string;
  cases: number;
  /** The largest errors, as parts of the norm of what is expected; undefined where nothing was measured. */
  forward?: number;
  gradient?: number;
  /** Whether a second run gave the same bits. */
  repeats: boolean;
  /** `refused`: the driver does not take the plan's kernels; training does without it. */
  status: "ok" | "failed" | "refused";
  /** The case with the largest error, and what the GPU said, where it said something. */
  worst?: string;
  message?: string;
}

/** Runs the checks one after another on the device's GPU; each yields its row when it is done. */
export async function* runChecks(
  device: Device,
  checks: readonly Check[],
): AsyncGenerator<CheckRow> {
  for (const check of checks) yield await runCheck(device, check);
}

async function runCheck({ gpu, info, kernels, maxBindingBytes }: Device, check: Check) {
  // The engine anew for each row: an error that one row's kernels meet is not held against the next.
  const device = new Device(gpu, info, { ...kernels, ...check.kernels }, maxBindingBytes);
  const { operation, variant, cases } = check;
  const row: CheckRow = { operation, variant, cases: cases.length, repeats: true, status: "ok" };
  let largest = 0;
  let current: Case | undefined;
  const error = await device.attempt(async () => {
    for (current of cases) {
      const [first, second] = [await current.run(device), await current.run(device)];
      const repeats = sameBits(first, second);
      row.repeats &&= repeats;
      row.forward = Math.max(row.forward ?? 0, first.forward);
      if (first.gradient !== undefined) row.gradient = Math.max(row.gradient ?? 0, first.gradient);
      const share = repeats ? shareOfAllowed(first, allowedOn(device)) : Infinity;
      if (share > largest || row.worst === undefined) row.worst = current.shapes;
      largest = Math.max(largest, share);
    }
  });
  if (error) {
    const matmul = check.kernels?.matmul;
    const isChoice = matmul !== undefined && !samePlan(matmul, kernels.matmul);
    Object.assign(row, {
      status: isChoice ? "refused" : "failed",
      message: error.message,
      worst: current?.shapes,
    });
  } else if (largest > 1) row.status = "failed";
  device.launcher.submit();
  device.memory.endStep();
  await device.finish();
  device.trim();
  return row;
}

/** The largest error as a share of what is allowed. */
const shareOfAllowed = ({ forward, gradient = 0 }: Measured, limits: typeof allowed): number =>
  Math.max(forward / limits.forward, gradient / limits.gradient);

function sameBits(one: Measured, other: Measured): boolean {
  const words = ({ bits }: Measured) =>
    bits.map(({ buffer, byteOffset, length }) => new Uint32Array(buffer, byteOffset, length));
  const others = words(other);
  return words(one).every((values, i) => values.every((value, at) => value === others[i][at]));
}
