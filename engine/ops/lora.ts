/**
 * LoRA's part of linear layers (Hu et al. 2021): y = x Wᵀ + b + u Bᵀ with u = s · dropout(x) Aᵀ. ΔW = BA is
 * never made; the kernel of W's product adds u Bᵀ, see linear.ts. Backward, with du = dy B:
 *
 *     dA += s · duᵀ dropout(x),   dB += dyᵀ u,   dx += s · dropout'(du A)
 */
import { loraA, loraB } from "../../kernels/mod.ts";
import { oneWorkgroupARow } from "../elementwise.ts";
import { packSlots } from "../matmul.ts";
import { matmulStrided } from "../matmul_strided.ts";
import { gradientBuffer } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { dropoutParams } from "./dropout.ts";

/** LoRA of the layers of a stack that have it, all of one rank. */
export interface Lora {
  /** [rank, in], or of several layers [layers with LoRA, rank, in]. */
  a: Tensor;
  /** [out, rank], or [layers with LoRA, out, rank]. */
  b: Tensor;
  /** s: α/r or α/√r. */
  scale: number;
  /** Dropout probability on LoRA's input; each layer draws its own. */
  dropout: number;
  /** Which layers of the stack have it, by number, ascending; [0] unless given. */
  layers?: readonly number[];
}

/** Throws where A and B do not fit the weight [out, in] or [stack, out, in], or `in` is no multiple of 4. */
export function checkLora(
  weight: Tensor,
  columns: number,
  { a, b, layers }: Pick<Required<Lora>, "a" | "b" | "layers">,
): void {
  const [outputs, count] = [weight.shape.at(-2)!, layers.length];
  if (
    columns % 4 !== 0 || a.columns !== columns || a.rows !== count * b.columns ||
    b.rows !== count * outputs
  ) {
    throw new Error(
      `LoRA's A [${a.shape.join(", ")}] and B [${b.shape.join(", ")}] do not fit ${count} of the ` +
        `weight [${weight.shape.join(", ")}], or its columns are not a multiple of 4.`,
    );
  }
  const stack = weight.rows / outputs;
  if (layers.some((layer, i) => layer >= stack || layer <= (layers[i - 1] ?? -1))) {
    throw new Error(
      `LoRA on the layers ${layers} of a stack of ${stack}: count from 0, ascending.`,
    );
  }
}

/**
 * Makes u [layers with LoRA, rows, rank] of x [rows, in], and the way back from the gradient dy [stack, rows,
 * out] of the layers' results: to A, to B and, where it is given, added to dx. Throws as {@link checkLora}.
 */
export function lowRank(x: Tensor, weight: Tensor, { a, b, scale, dropout, layers = [0] }: Lora) {
  const { device, rows, columns } = x;
  checkLora(weight, columns, { a, b, layers });
  const [rank, outputs, count] = [b.columns, weight.shape.at(-2)!, layers.length];
  const { launcher, random, memory } = device;
  const { broadcastLanes } = device.kernels;
  const [kernels, kernelsB] = [loraA(broadcastLanes), loraB(broadcastLanes)];
  const sites = layers.map(() => dropoutParams(x, dropout)); // one after another
  const common = { rows, rank, layers: count, slots: packSlots(layers), scale, ...sites[0] };
  const [paramsA, paramsB] = [columns, outputs].map((n) => ({ ...common, columns: n / 4 }));
  const z = Math.ceil(rank / kernels.ranks) * count;
  const aToken = [...oneWorkgroupARow(Math.ceil(rows / kernels.tokens)), z] as const;
  const vectors = (values: number, each: number) => Math.ceil(values / 4 / each);

  const u = empty(device, [count, rows, rank]);
  const [A, B] = [a.binding, b.binding];
  launcher.launch(
    kernels.project,
    { x: x.binding, loraA: A, u: u.binding, random },
    paramsA,
    aToken,
  );
  const backward = (dy: Tensor, dx?: Tensor): void => {
    const du = empty(device, u.shape);
    if (outputs % 4 === 0) {
      const bindings = { dy: dy.binding, loraB: B, du: du.binding };
      launcher.launch(kernelsB.outputGradient, bindings, paramsB, aToken);
      if (b.requiresGrad) {
        const gradients = { dy: dy.binding, u: u.binding, dloraB: gradientBuffer(b).binding };
        launcher.launch(kernelsB.gradient, gradients, paramsB, [
          vectors(outputs, kernels.gradientVectors),
          1,
          z,
        ]);
      }
    } else {
      layers.forEach((layer, i) => {
        const at = { a: layer, b: i, c: i };
        const shape = { rows, columns: rank, inner: outputs };
        matmulStrided("NN", { a: dy, b, c: du }, shape, { at });
        if (!b.requiresGrad) return;
        const turned = { rows: outputs, columns: rank, inner: rows };
        const c = gradientBuffer(b);
        matmulStrided("TN", { a: dy, b: u, c }, turned, { at, accumulate: true });
      });
    }
    if (a.requiresGrad) {
      const gradients = { x: x.binding, du: du.binding, dloraA: gradientBuffer(a).binding, random };
      launcher.launch(kernels.gradient, gradients, paramsA, [
        vectors(columns, kernels.gradientVectors),
        1,
        z,
      ]);
    }
    if (dx) {
      const bindings = { loraA: A, du: du.binding, dx: dx.binding, random };
      launcher.launch(kernels.inputGradient, bindings, paramsA, [
        vectors(columns, kernels.inputGradientVectors),
        Math.ceil(rows / 4),
      ]);
    }
    memory.release(du.storage);
  };
  return { u, b, rank, layers, backward };
}
