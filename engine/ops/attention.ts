import { attention as attentionKernels, paddedHeadSize } from "../../kernels/mod.ts";
import { attentionVariant } from "../plans.ts";
import { record } from "../tape.ts";
import { empty, emptyLike, type Tensor } from "../tensor.ts";
import { dropoutParams } from "./dropout.ts";
import { padHeads } from "./pad_heads.ts";

export interface AttentionOptions {
  heads: number;
  /** Dropout probability on the attention weights. */
  dropout: number;
  /** [rows, 2] u32: first and last (exclusive) row of each row's sentence; an empty range for filling rows. */
  sentences: Tensor;
}

/**
 * Multi-head attention within packed sentences: query, key and value as one tensor [3, rows, heads ·
 * headSize], as a linear stack makes it, result [rows, heads · headSize]. Heads whose size is no multiple of 4 are
 * padded on the way. Formulas in kernels/attention_interface.wgsl; nothing of size rows × rows is stored.
 */
export function attention(projections: Tensor, options: AttentionOptions): Tensor {
  const { columns } = projections;
  const headSize = columns / options.heads;
  if (!Number.isInteger(headSize)) {
    throw new Error(`${columns} columns cannot be split among ${options.heads} heads.`);
  }
  const scale = 1 / Math.sqrt(headSize);
  const padded = paddedHeadSize(headSize, projections.device.kernels.broadcastLanes);
  if (padded === headSize) return attend(projections, scale, options);
  const wide = attend(padHeads(projections, headSize, padded), scale, options);
  return padHeads(wide, padded, headSize);
}

/** The same, for head sizes that the kernels have. */
function attend(
  projections: Tensor,
  scale: number,
  { heads, dropout, sentences }: AttentionOptions,
): Tensor {
  const { device } = projections;
  const [, rows, columns] = projections.shape;
  const headSize = columns / heads;
  const kernels = attentionKernels(attentionVariant(projections, headSize));
  const groups = [Math.ceil(rows / kernels.rows), heads] as const;
  const output = empty(device, [rows, columns], projections.dtype);
  const lse = empty(device, [rows, heads]);
  const params = {
    rows,
    heads,
    scale,
    ...dropoutParams(projections, dropout),
  };
  const common = { sentences: sentences.binding, random: device.random, lse: lse.binding };
  device.launcher.launch(
    kernels.forward,
    { ...common, projections: projections.binding, output: output.binding },
    params,
    groups,
  );
  return record(
    [projections],
    output,
    (doutput) => {
      const delta = empty(device, [rows, heads]);
      const dprojections = emptyLike(projections);
      const saved = {
        ...common,
        projections: projections.binding,
        doutput: doutput.binding,
        delta: delta.binding,
        dprojections: dprojections.binding,
      };
      device.launcher.launch(
        kernels.backwardQuery,
        { ...saved, result: output.binding },
        params,
        groups,
      );
      device.launcher.launch(kernels.backwardKeyValue, saved, params, groups);
      device.memory.release(delta.storage);
      return [dprojections];
    },
    [lse],
  );
}
