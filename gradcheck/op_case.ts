/**
 * An operation on shapes, what it must give, and running it on a device. Values and upstream gradients are random,
 * never 0 and never 1, and each is seeded by the case.
 */
import type { Device } from "../engine/device.ts";
import { add, scale, silu } from "../engine/ops/mod.ts";
import { sizeOf } from "../engine/shape.ts";
import { withTape } from "../engine/tape.ts";
import { activationDtype, type Tensor } from "../engine/tensor.ts";
import { functions, type Values } from "./reference.ts";
import { randomValues, rounded, tensorOf } from "./values.ts";

/** An operation on shapes: what the engine runs, and what must come out. */
export interface OpCase {
  /** The differentiable inputs, in the order in which `run` and `reference` take them. */
  shapes: number[][];
  /** Which of them are activations, in the device's dtype for those, and no parameters; all unless given. */
  activations?: readonly number[];
  run(inputs: Tensor[]): Tensor;
  /** The result, and the gradient of every input; `dy` is empty where only the result is wanted. */
  reference(inputs: Values[], dy: Values): { y: Values; gradients: Values[] };
}

/** The seed and step that `runOp` sets before it runs an operation; dropout's site is 0. */
const randomState = { seed: 7, step: 3 };

/** What dropout draws from where `runOp` runs it. */
export const dropoutSite = (probability: number) => ({ ...randomState, site: 0, probability });

/** The inputs that a case is run on. */
export const inputsOf = (op: OpCase): Values[] =>
  op.shapes.map((shape, i) => randomValues(sizeOf(shape), i + 1));

/** What a device made of a case, and what it should have. Gradients in the order of the inputs. */
export interface OpResult {
  y: Float32Array;
  /** Undefined where an input got none. */
  gradients: (Float32Array | undefined)[];
  expected: { y: Values; gradients: Values[] };
}

/**
 * Runs a case, forward and backward. With `only`, no other input wants a gradient. Of what has 16 bits on the device
 * the reference takes the rounded values.
 */
export async function runOp(device: Device, op: OpCase, only?: number): Promise<OpResult> {
  const dtypes = op.shapes.map((shape, i) =>
    op.activations?.includes(i) ?? true ? activationDtype(device, shape.at(-1)!) : "f32"
  );
  const values = inputsOf(op).map((input, i) => rounded(input, dtypes[i]));
  device.beginStep(randomState.seed, randomState.step);
  const inputs = values.map((input, i) =>
    tensorOf(device, op.shapes[i], input, only === undefined || only === i, dtypes[i])
  );
  const { output, backward } = withTape(() => op.run(inputs));
  const dy = rounded(randomValues(output.size, 50), output.dtype);
  backward(tensorOf(device, output.shape, dy, false, output.dtype));
  const [y, ...gradients] = await Promise.all(
    [output, ...inputs.map(({ gradient }) => gradient)].map((tensor) => tensor?.read()),
  );
  device.endStep();
  return { y: y!, gradients, expected: op.reference(values, dy) };
}

/**
 * The operation with two consumers of each of its inputs' sources before it, and two consumers after
 * it: x → h = x/2 + silu(x) → y = op(h) → 0.7 y + silu(y), and + h₀ where the shapes are equal.
 */
export function inMiddle(op: OpCase): OpCase {
  const sourceFunction = (x: number) => x / 2 + functions.silu.f(x);
  const isResidual = ({ length }: { length: number }) => length === sizeOf(op.shapes[0]);
  return {
    shapes: op.shapes,
    activations: op.activations,
    run(inputs) {
      const h = inputs.map((x) => add(scale(x, 0.5), silu(x)));
      const y = op.run(h);
      const z = add(scale(y, 0.7), silu(y));
      return isResidual({ length: y.size }) ? add(z, h[0]) : z;
    },
    reference(inputs, dz) {
      const h = inputs.map((x) => x.map(sourceFunction));
      const { y } = op.reference(h, []);
      const z = y.map((value) => 0.7 * value + functions.silu.f(value));
      const dy = y.map((value, i) => (0.7 + functions.silu.df(value)) * dz[i]);
      const { gradients } = op.reference(h, dy);
      const residual = isResidual(y);
      return {
        y: residual ? z.map((value, i) => value + h[0][i]) : z,
        gradients: inputs.map((x, input) =>
          x.map((value, i) => {
            const dh = gradients[input][i] + (residual && input === 0 ? dz[i] : 0);
            return dh * (0.5 + functions.silu.df(value));
          })
        ),
      };
    },
  };
}
