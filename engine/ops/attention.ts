import { attention as attentionKernels } from "../../kernels/mod.ts";
import type { Operand } from "../staging.ts";
import { record } from "../tape.ts";
import { empty, type Tensor } from "../tensor.ts";
import { dropoutParams } from "./dropout.ts";

export interface AttentionOptions {
  heads: number;
  /** Dropout probability on the attention weights. */
  dropout: number;
  /** [rows, 2] u32: first and last (exclusive) row of each row's sentence; an empty range for filling rows. */
  sentences: Tensor;
}

/**
 * Multi-head attention within packed sentences: query, key and value as one tensor [3, rows, heads ·
 * headSize], as linearStack makes it, result [rows, heads · headSize]; headSize a multiple of 4. Formulas in
 * kernels/attention_interface.wgsl; nothing of size rows × rows is stored.
 */
export function attention(
  projections: Tensor,
  { heads, dropout, sentences }: AttentionOptions,
): Tensor {
  const { device } = projections;
  const [, rows, columns] = projections.shape;
  const headSize = columns / heads;
  if (headSize % 4 !== 0) {
    throw new Error(
      `${columns} columns in ${heads} heads: a head size of ${headSize} is not a multiple of 4.`,
    );
  }
  const { broadcastLanes, attentionTextures } = device.kernels;
  const kernels = attentionKernels({
    headSize,
    lanes: broadcastLanes,
    textures: attentionTextures && device.staging.fits(projections),
  });
  const groups = [Math.ceil(rows / kernels.rows), heads] as const;
  const read = (matrix: Tensor, operand: Operand) =>
    kernels.textures ? device.staging.copy(matrix, operand) : matrix.binding;
  const output = empty(device, [rows, columns]);
  const lse = empty(device, [rows, heads]);
  const params = {
    rows,
    heads,
    scale: 1 / Math.sqrt(headSize),
    ...dropoutParams(projections, dropout),
  };
  const common = { sentences: sentences.binding, random: device.random, lse: lse.binding };
  device.launcher.launch(
    kernels.forward,
    { ...common, projections: read(projections, "a"), output: output.binding },
    params,
    groups,
  );
  return record(
    [projections],
    output,
    (doutput) => {
      const delta = empty(device, [rows, heads]);
      const dprojections = empty(device, projections.shape);
      const saved = {
        ...common,
        projections: read(projections, "a"),
        doutput: read(doutput, "b"),
        delta: delta.binding,
        dprojections: dprojections.binding,
      };
      device.launcher.launch(
        kernels.backwardQuery,
        { ...saved, result: read(output, "c") },
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
