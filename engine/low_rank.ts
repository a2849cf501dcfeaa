/** LoRA's part of linear layers: u = s · dropout(x) Aᵀ forward, and the gradients that go through it. */
import { lora as loraKernels } from "../kernels/mod.ts";
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

/** Carries the gradient dy of each layer's result to A, to B and, where `dx` is given, adds x's to it. */
export type LowRankBackward = (dys: readonly Tensor[], dx?: Tensor) => void;

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
 * Writes u [layers, rows, rank] for layers of the input x, from which each one's product makes u Bᵀ, and returns
 * the way back: with du = dy B, dB += dyᵀ u,  dA += s · duᵀ dropout(x),  dx += s · dropout'(du A). All layers have
 * one rank, scale and dropout, each a dropout site of its own. Where their A lie together as `joinedA` [layers,
 * rank, in], a launch serves them all.
 */
export function lowRank(
  x: Tensor,
  layers: readonly LoraWeights[],
  u: Tensor,
  joinedA?: Tensor,
): LowRankBackward {
  const { device, rows, columns } = x;
  const { launcher, random } = device;
  const [{ a: { rows: rank }, scale, dropout }] = layers;
  const kernels = loraKernels(device.kernels.broadcastLanes);
  const sites = layers.map(() => dropoutParams(x, dropout));
  const rankGroups = Math.ceil(rank / kernels.ranks);
  const rowGroups = Math.ceil(rows / kernels.projectRows);
  const columnGroups = (perWorkgroup: number) => Math.ceil(columns / 4 / perWorkgroup);
  const of = (joined: Tensor, z: number) => layers.length > 1 ? part(joined, z) : joined;
  /** Runs for all layers at once, or for one after another. */
  const forEachLaunch = (
    values: Tensor,
    run: (
      launch: { a: Tensor; values: Tensor; params: Record<string, number>; count: number },
    ) => void,
  ) => {
    const common = { rows, columns: columns / 4, rank, scale };
    if (joinedA) {
      const count = layers.length;
      run({ a: joinedA, values, params: { ...common, ...sites[0], layers: count }, count });
    } else {
      layers.forEach(({ a }, z) =>
        run({
          a,
          values: of(values, z),
          params: { ...common, ...sites[z], layers: 1 },
          count: 1,
        })
      );
    }
  };
  forEachLaunch(u, ({ a, values, params, count }) =>
    launcher.launch(
      kernels.project,
      { x: x.binding, loraA: a.binding, u: values.binding, random },
      params,
      [Math.min(rowGroups, 65535), Math.ceil(rowGroups / 65535), rankGroups * count],
    ));
  return (dys, dx) => {
    const du = empty(device, u.shape);
    layers.forEach(({ b }, z) => {
      matmul("NN", dys[z], b, of(du, z));
      if (b.requiresGrad) {
        matmul("TN", dys[z], of(u, z), gradientBuffer(b), { accumulate: true });
      }
    });
    forEachLaunch(du, ({ a, values, params, count }) => {
      if (a.requiresGrad) {
        launcher.launch(
          kernels.gradient,
          { x: x.binding, du: values.binding, dloraA: gradientBuffer(a).binding, random },
          params,
          [columnGroups(kernels.gradientColumns), 1, rankGroups * count],
        );
      }
      if (dx) {
        launcher.launch(
          kernels.inputGradient,
          { loraA: a.binding, du: values.binding, dx: dx.binding, random },
          params,
          [columnGroups(kernels.inputGradientColumns), Math.ceil(rows / 4)],
        );
      }
    });
    device.memory.release(du.storage);
  };
}
