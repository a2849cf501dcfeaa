/** LoRA's part of linear layers: u = s · dropout(x) Aᵀ forward, and the gradients that go through it. */
import { loraA, loraB } from "../kernels/mod.ts";
import { oneWorkgroupARow } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { dropoutParams } from "./ops/dropout.ts";
import { gradientBuffer } from "./tape.ts";
import { empty, part, type Tensor } from "./tensor.ts";

export interface LoraWeights {
  /** [rank, in] */
  a: Tensor;
  /** [out, rank] */
  b: Tensor;
  /** α/r or α/√r */
  scale: number;
  /** Dropout probability on LoRA's input. */
  dropout: number;
}

/** Layers of one input that have LoRA, all of one rank, scale and dropout. */
export interface LowRankLayers {
  layers: readonly LoraWeights[];
  /** The place of each among the layers whose results are computed together; 0 to 3. */
  slots: readonly number[];
  /** A [layers, rank, in] and B [layers, out, rank] where they lie together: then a launch serves them all. */
  joined?: { a: Tensor; b: Tensor };
}

/**
 * Carries the gradient dy [stack, rows, out] of the layers' results to A, to B and, where `dx` is given, adds
 * x's to it.
 */
export type LowRankBackward = (dy: Tensor, dx?: Tensor) => void;

/** Throws where A [rank, in] or B [out, rank] does not fit x [rows, in] and the weight [out, in]. */
export function checkLora(x: Tensor, weight: Tensor, { a, b }: LoraWeights): void {
  const { columns } = x;
  if (
    columns % 4 !== 0 || a.columns !== columns || b.columns !== a.rows || b.rows !== weight.rows
  ) {
    throw new Error(
      `LoRA's A [${a.shape.join(", ")}] and B [${b.shape.join(", ")}] do not fit the weight ` +
        `[${weight.shape.join(", ")}], or its columns are not a multiple of 4.`,
    );
  }
}

/**
 * Writes u [layers, rows, rank], from which each layer's product makes u Bᵀ, and returns the way back: with
 * du = dy B, dB += dyᵀ u,  dA += s · duᵀ dropout(x),  dx += s · dropout'(du A). Each layer has a dropout site of
 * its own. Throws where several layers have outputs in no multiple of 4.
 */
export function lowRank(x: Tensor, lowRanks: LowRankLayers, u: Tensor): LowRankBackward {
  const { device, rows, columns } = x;
  const { launcher, random } = device;
  const [{ a: { rows: rank }, b: { rows: outputs }, scale }] = lowRanks.layers;
  const vectors = outputs % 4 === 0;
  if (!vectors && lowRanks.layers.length > 1) {
    throw new Error(`LoRA layers in a stack have ${outputs} outputs, no multiple of 4.`);
  }
  const { broadcastLanes } = device.kernels;
  const kernels = loraA(broadcastLanes);
  const kernelsB = loraB(broadcastLanes);
  const rankGroups = Math.ceil(rank / kernels.ranks);
  const rowGroups = Math.ceil(rows / kernels.tokens);
  const vectorGroups = (values: number, each: number) => Math.ceil(values / 4 / each);
  const launches = launchesOf(x, lowRanks).map(({ site, ...launch }) => ({
    ...launch,
    paramsA: { rows, columns: columns / 4, rank, scale, ...site, layers: launch.layers },
    tokenGroups: [...oneWorkgroupARow(rowGroups), rankGroups * launch.layers] as const,
  }));
  for (const { a, of, paramsA, tokenGroups } of launches) {
    const bindings = { x: x.binding, loraA: a.binding, u: of(u).binding, random };
    launcher.launch(kernels.project, bindings, paramsA, tokenGroups);
  }
  return (dy, dx) => {
    const du = empty(device, u.shape);
    for (const { a, b, of, slots, layers, paramsA, tokenGroups } of launches) {
      const [ownU, ownDu] = [of(u), of(du)];
      const columnsOf = (values: number) =>
        [vectorGroups(values, kernels.gradientVectors), 1, rankGroups * layers] as const;
      if (vectors) {
        const paramsB = { rows, columns: outputs / 4, rank, slots };
        const bindings = { dy: dy.binding, loraB: b.binding, du: ownDu.binding };
        launcher.launch(kernelsB.outputGradient, bindings, paramsB, tokenGroups);
        if (b.requiresGrad) {
          const dloraB = gradientBuffer(b).binding;
          const gradients = { dy: dy.binding, u: ownU.binding, dloraB };
          launcher.launch(kernelsB.gradient, gradients, paramsB, columnsOf(outputs));
        }
      } else {
        matmul("NN", dy, b, ownDu);
        if (b.requiresGrad) matmul("TN", dy, ownU, gradientBuffer(b), { accumulate: true });
      }
      if (a.requiresGrad) {
        const dloraA = gradientBuffer(a).binding;
        const gradients = { x: x.binding, du: ownDu.binding, dloraA, random };
        launcher.launch(kernels.gradient, gradients, paramsA, columnsOf(columns));
      }
      if (dx) {
        launcher.launch(
          kernels.inputGradient,
          { loraA: a.binding, du: ownDu.binding, dx: dx.binding, random },
          paramsA,
          [vectorGroups(columns, kernels.inputGradientVectors), Math.ceil(rows / 4)],
        );
      }
    }
    device.memory.release(du.storage);
  };
}

/** One launch of every kernel for all layers, or one for each. */
function launchesOf(x: Tensor, { layers, slots, joined }: LowRankLayers) {
  const sites = layers.map(({ dropout }) => dropoutParams(x, dropout));
  const bitsOf = (some: readonly number[]) =>
    some.reduce((bits, slot, layer) => bits | (slot << (2 * layer)), 0);
  if (joined) {
    const of = (low: Tensor) => low;
    return [{ ...joined, of, site: sites[0], slots: bitsOf(slots), layers: layers.length }];
  }
  return layers.map(({ a, b }, layer) => {
    const of = (low: Tensor) => layers.length > 1 ? part(low, layer) : low;
    return { a, b, of, site: sites[layer], slots: bitsOf([slots[layer]]), layers: 1 };
  });
}
