/** The matrix products once more on matrix units, from f16 operands, where a device has them. */
import { CooperativeError } from "../engine/matrix_units.ts";
import { createDevice, type Device } from "../engine/device.ts";
import type { Case } from "./cases.ts";
import { benchKernels, type KernelBenchOptions, type KernelRow } from "./kernel_bench.ts";
import type { Ceilings } from "./roofline.ts";

/** A plain product of the family; what else launches one does other things beside it. */
const product = /^matmul\.(NT|NN|TN)\.main$/;

/** The cases that are one product each, under a name of their own. */
export function halfPrecisionCases(cases: readonly Case[]): Case[] {
  return cases
    .filter(({ rows }) => rows.length === 1 && product.test(rows[0].kernel))
    .map(({ rows, run }) => ({ rows: rows.map((row) => ({ ...row, note: "f16" })), run }));
}

/** A device with matrix units, or undefined. */
async function openUnits(): Promise<Device | undefined> {
  try {
    return await createDevice({ features: ["timestamp-query"], matmulPrecision: "f16" });
  } catch (error) {
    if (error instanceof CooperativeError) return undefined;
    throw error;
  }
}

/**
 * Times the products of `cases` on matrix units; no rows where there are none. `ceilings` are those of
 * f32, so that a row may stand far above 100 %.
 */
export async function benchHalfPrecision(
  options: KernelBenchOptions & { ceilings: Ceilings },
): Promise<KernelRow[]> {
  const device = await openUnits();
  if (!device) return [];
  try {
    const cases = halfPrecisionCases(options.cases);
    return (await benchKernels(device, { ...options, cases })).results;
  } finally {
    device.destroy();
  }
}
