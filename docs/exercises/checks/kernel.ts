/** Exercise 5: a faster kernel; the benchmark judges, once the sums are right. */
import {
  createDevice,
  createTimer,
  type Device,
  measure,
  upload,
  zeros,
} from "../../../engine/mod.ts";
import { randomValues, relativeError } from "../../../gradcheck/values.ts";
import { type Kernel, kernel as kernelOf } from "../../../kernels/kernel.ts";
import source from "../squares.wgsl" with { type: "text" };
import { type Exercise, missing, type Outcome, solved } from "./exercise.ts";
import slow from "./slow_squares.wgsl" with { type: "text" };

const shapes = [[1, 4], [3, 20], [70, 132], [5, 1028]];
const timed = [512, 4096];
const wanted = 2;

function launch({ device, x, y }: Operands, kernel: Kernel, [rows, columns]: number[]): void {
  const bindings = { x: x.binding, y: y.binding };
  device.launcher.launch(kernel, bindings, { rows, columns }, [rows, 1]);
}

type Operands = ReturnType<typeof operandsOf>;

function operandsOf(device: Device, [rows, columns]: number[]) {
  const values = randomValues(rows * columns, 1);
  const x = upload(device, [rows, columns], Float32Array.from(values));
  return { device, values, x, y: zeros(device, [rows]) };
}

/** How far sums are off on a shape. */
async function errorAt(device: Device, kernel: Kernel, shape: number[]): Promise<number> {
  device.beginStep(0, 0);
  const operands = operandsOf(device, shape);
  launch(operands, kernel, shape);
  const [rows, columns] = shape;
  const expected = Array.from(
    { length: rows },
    (_, row) =>
      operands.values.slice(row * columns, (row + 1) * columns).reduce((sum, x) => sum + x * x, 0),
  );
  const actual = await operands.y.read();
  device.endStep();
  return relativeError(actual, expected);
}

/** Seconds of a launch. */
export type Stopwatch = (device: Device, kernel: Kernel) => Promise<number>;

const stopwatch: Stopwatch = async (device, kernel) => {
  const timer = await createTimer(device);
  device.beginStep(0, 0);
  const operands = operandsOf(device, timed);
  const { seconds } = await measure(timer, () => launch(operands, kernel, timed));
  timer.destroy();
  device.endStep();
  return seconds;
};

/** Judges a kernel's text: whether its sums are right, and then whether it is fast. */
export async function judge(text: string, watch = stopwatch): Promise<Outcome> {
  const device = await createDevice();
  const [own, given] = [kernelOf("squares", text, "main"), kernelOf("slow_squares", slow, "main")];
  try {
    for (const shape of shapes) {
      let error = 0;
      const refused = await device.attempt(async () => {
        error = await errorAt(device, own, shape);
      });
      if (refused) return missing(`The kernel does not run: ${refused.message}`);
      if (error > 1e-5) {
        return missing(
          `At [${shape.join(", ")}] the sums are off by ${error.toExponential(1)}: it has to be ` +
            "right before it may be fast.",
        );
      }
    }
    const [before, after] = [await watch(device, given), await watch(device, own)];
    const factor = before / after;
    const times = `${(before * 1e6).toFixed(0)} µs before, ${(after * 1e6).toFixed(0)} µs now at ` +
      `[${timed.join(", ")}] on ${device.info.description}`;
    return factor >= wanted
      ? solved(`${factor.toFixed(1)} times as fast: ${times}.`)
      : missing(`${factor.toFixed(1)} times as fast, ${wanted} are wanted: ${times}.`);
  } finally {
    device.destroy();
  }
}

export const kernel: Exercise = {
  title: "Make a kernel faster, and let the benchmark judge",
  file: "docs/exercises/squares.wgsl",
  check: () => judge(source),
};
