import { attention as kernels } from "../../kernels/mod.ts";
import { record } from "../tape.ts";
import { empty, part, type Tensor } from "../tensor.ts";
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
 * kernels/attention.wgsl; nothing of size rows × rows is stored.
 */
export function attention(
  projections: Tensor,
  { heads, dropout, sentences }: AttentionOptions,
): Tensor {
  const { device } = projections;
  const [query, key, value] = [0, 1, 2].map((z) => part(projections, z));
  const { rows, columns } = query;
  const headSize = columns / heads;
  if (headSize % 4 !== 0) {
    throw new Error(
      `${columns} columns in ${heads} heads: a head size of ${headSize} is not a multiple of 4.`,
    );
  }
  const subgroup = device.kernels.broadcastLanes;
  const { forward, backwardQuery, backwardKeyValue, rowsPerWorkgroup } = kernels({
    headSize,
    subgroup,
  });
  const params = { rows, heads, scale: 1 / Math.sqrt(headSize), ...dropoutParams(query, dropout) };
  const groups = [Math.ceil(rows / rowsPerWorkgroup), heads] as const;
  const output = empty(device, query.shape);
  const lse = empty(device, [rows, heads]);
  const inputs = {
    sentences: sentences.binding,
    query: query.binding,
    key: key.binding,
    value: value.binding,
    random: device.random,
  };
  device.launcher.launch(
    forward,
    { ...inputs, output: output.binding, lse: lse.binding },
    params,
    groups,
  );
  return record(
    [projections],
    output,
    (doutput) => {
      const delta = empty(device, [rows, heads]);
      const dprojections = empty(device, projections.shape);
      const [dquery, dkey, dvalue] = [0, 1, 2].map((z) => part(dprojections, z));
      const saved = {
        ...inputs,
        lse: lse.binding,
        doutput: doutput.binding,
        delta: delta.binding,
      };
      device.launcher.launch(
        backwardQuery,
        { ...saved, output: output.binding, dquery: dquery.binding },
        params,
        groups,
      );
      device.launcher.launch(
        backwardKeyValue,
        { ...saved, dkey: dkey.binding, dvalue: dvalue.binding },
        params,
        groups,
      );
      device.memory.release(delta.storage);
      return [dprojections];
    },
    [lse],
  );
}
