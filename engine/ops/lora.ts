/**
 * LoRA's part of linear layers (Hu et al. 2021): y = x Wᵀ + b + u Bᵀ with u = s · dropout(x) Aᵀ. ΔW = BA is
 * never made: the kernel of W's product adds u Bᵀ. Backward, with du = dy B:
 *
 *     dA += s · duᵀ dropout(x),   dB += dyᵀ u,   dx += s · dropout'(du A)
 */
import { loraA, loraB } from "../../kernels/mod.ts";
import { oneWorkgroupARow } from "../elementwise.ts";
import { packSlots } from "../matmul.ts";
import { stridedLoraB } from "../matmul_strided.ts";
import { gradientBuffer } from "../tape.ts";
import { empty, formatOf, type Tensor } from "../tensor.ts";
import { dropoutParams } from "./dropout.ts";
import { checkLora, type Lora } from "./lora_weights.ts";

/**
 * Makes u [layers with LoRA, rows, rank] of x [rows, in], and the way back from the gradient dy [stack, rows,
 * out] of the layers' results: to A, to B and, where it is given, added to dx.
 */
export function lowRank(x: Tensor, weight: Tensor, { a, b, scale, dropout, layers = [0] }: Lora) {
  checkLora(weight, { a, b, layers });
  const { device: { launcher, random, memory, kernels: { broadcastLanes } }, device } = x;
  const [rows, rank, outputs, count] = [x.rows, b.columns, weight.shape.at(-2)!, layers.length];
  const sites = layers.map(() => dropoutParams(x, dropout)); // one after another
  const common = { rows, rank, layers: count, slots: packSlots(layers), scale, ...sites[0] };
  const [paramsA, paramsB] = [x.columns, outputs].map((n) => ({ ...common, columns: n / 4 }));
  const variant = { subgroup: broadcastLanes, format: formatOf(x) };
  const [kernelsA, kernelsB] = [loraA(variant), loraB(variant)];
  const z = Math.ceil(rank / kernelsA.ranks) * count;
  const narrow = [...oneWorkgroupARow(Math.ceil(rows / kernelsA.tokens)), z] as const;
  const wide = (vectors: number) => [Math.ceil(vectors / kernelsA.gradientVectors), 1, z] as const;

  const u = empty(device, [count, rows, rank]);
  const forward = { x: x.binding, loraA: a.binding, u: u.binding, random };
  launcher.launch(kernelsA.project, forward, paramsA, narrow);
  const backward = (dy: Tensor, dx?: Tensor): void => {
    const du = empty(device, u.shape);
    const dloraB = b.requiresGrad ? gradientBuffer(b) : undefined;
    if (outputs % 4 === 0) {
      const bindings = { dy: dy.binding, loraB: b.binding, du: du.binding };
      launcher.launch(kernelsB.outputGradient, bindings, paramsB, narrow);
      if (dloraB) {
        const gradients = { dy: dy.binding, u: u.binding, dloraB: dloraB.binding };
        launcher.launch(kernelsB.gradient, gradients, paramsB, wide(outputs / 4));
      }
    } else stridedLoraB({ dy, b, u, du, dloraB }, layers);
    if (a.requiresGrad) {
      const gradients = { x: x.binding, du: du.binding, dloraA: gradientBuffer(a).binding, random };
      launcher.launch(kernelsA.gradient, gradients, paramsA, wide(x.columns / 4));
    }
    if (dx) {
      const bindings = { loraA: a.binding, du: du.binding, dx: dx.binding, random };
      const vectors = Math.ceil(x.columns / 4 / kernelsA.inputGradientVectors);
      launcher.launch(kernelsA.inputGradient, bindings, paramsA, [vectors, Math.ceil(rows / 4)]);
    }
    memory.release(du.storage);
  };
  return { u, b, layers, backward };
}
