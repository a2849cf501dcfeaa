/**
 * Matrix units, used where they are proven: the extensions that have them are experimental, so that a device which was
 * granted one is then shown to multiply as it should.
 */
import type { CooperativePlan, Transpose } from "../kernels/mod.ts";
import type { Device } from "./device.ts";
import { matmul } from "./matmul.ts";
import { CooperativeError, fragmentText, type MatrixUnits } from "./matrix_units.ts";
import { pack, unpack } from "./pack.ts";
import { fixedCooperativePlan } from "./plans.ts";
import { domains, HostRandom } from "./random.ts";
import { type Tensor, upload } from "./tensor.ts";

/** More than a tile of the plan in every dimension, and edges inside of one. */
const [rows, inner, columns] = [68, 100, 76];
/** Of f16 operands' products summed in f32; f16 sums would be off by 1e-3. */
const tolerance = 1e-4;

/**
 * The engine, of those that `withPlan` makes for the fragments in turn, whose products come out right; `lanes`
 * is the most invocations that the GPU's subgroups have, `software` that it is a CPU. Throws CooperativeError with what is wrong at each.
 */
export async function proveCooperative(
  withPlan: (plan: CooperativePlan) => Device,
  { extension, fragments }: Pick<MatrixUnits, "extension" | "fragments">,
  { lanes, software }: { lanes: number; software: boolean },
): Promise<Device> {
  const reasons: string[] = [];
  for (const fragment of fragments) {
    const device = withPlan(fixedCooperativePlan({ extension, fragment, lanes }, software));
    const reason = await flaw(device);
    if (reason === undefined) return device;
    reasons.push(`${fragmentText(fragment)}: ${reason}`);
  }
  throw new CooperativeError(reasons.join("; "));
}

/** What is wrong with the device's products, if anything. */
async function flaw(device: Device): Promise<string | undefined> {
  try {
    for (const transpose of ["NT", "NN", "TN"] as const) {
      const error = await productError(device, transpose);
      if (!(error <= tolerance)) return `${transpose} is off by ${error.toExponential(1)}`;
    }
    device.trim(); // what training holds is counted from nothing
    device.memory.resetPeak();
  } catch (error) {
    await device.gpu.queue.onSubmittedWorkDone(); // what else it reports is not the next engine's
    return error instanceof Error ? error.message : String(error);
  }
}

/** ‖C − C*‖ / ‖C*‖ of a product of values that f16 holds. */
async function productError(device: Device, transpose: Transpose): Promise<number> {
  const random = new HostRandom(1, domains.sample);
  const values = (count: number) =>
    unpack(pack(Float32Array.from({ length: count }, () => random.uniform() - 0.5), "f16"), "f16");
  const [a, b] = [values(rows * inner), values(inner * columns)];
  const at = {
    a: (m: number, k: number) => transpose === "TN" ? k * rows + m : m * inner + k,
    b: (k: number, n: number) => transpose === "NT" ? n * inner + k : k * columns + n,
  };
  device.beginStep(0, 0);
  const tensor = (m: number, n: number, data: Float32Array): Tensor => upload(device, [m, n], data);
  const c = tensor(rows, columns, new Float32Array(rows * columns));
  matmul(
    transpose,
    transpose === "TN" ? tensor(inner, rows, a) : tensor(rows, inner, a),
    transpose === "NT" ? tensor(columns, inner, b) : tensor(inner, columns, b),
    c,
  );
  const actual = await c.read();
  device.endStep();
  let [difference, norm] = [0, 0];
  for (let m = 0; m < rows; m++) {
    for (let n = 0; n < columns; n++) {
      let sum = 0;
      for (let k = 0; k < inner; k++) sum += a[at.a(m, k)] * b[at.b(k, n)];
      difference += (actual[m * columns + n] - sum) ** 2;
      norm += sum ** 2;
    }
  }
  return Math.sqrt(difference / norm);
}
