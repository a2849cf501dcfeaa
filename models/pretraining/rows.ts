/** A packed batch as mean pooling takes it. */
import type { PackedRows } from "../../engine/ops/mod.ts";
import type { PackedBatch } from "../nn/batch.ts";

export const packedRows = ({ firstTokens, sentences }: PackedBatch): PackedRows => ({
  firstRows: firstTokens.ids,
  bounds: sentences,
});
