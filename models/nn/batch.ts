/** A batch as the encoder takes it: its sentences' tokens one after another, no padding. */
import type { Device } from "../../engine/device.ts";
import { type RowIndex, rowIndices } from "../../engine/ops/embedding.ts";
import type { Tensor } from "../../engine/tensor.ts";

/** The row count is rounded up to a multiple, so that few buffer sizes occur and bind groups repeat. */
const rowMultiple = 64;

export interface PackedBatch {
  /** Rows, filling included. */
  rows: number;
  /** Real tokens. */
  tokens: number;
  tokenIds: RowIndex;
  positions: RowIndex;
  tokenTypes: RowIndex;
  /** [rows, 2] u32: first and last (exclusive) row of each row's sentence; an empty range for filling rows. */
  sentences: Tensor;
  /** The rows of the sentences' first tokens, [CLS]. */
  firstTokens: RowIndex;
  /** [sentences] u32 */
  labels: Tensor;
  /** What the launches on a batch depend on: batches with equal keys get the same ones. */
  key: string;
}

/**
 * What a model takes: ids below `vocabSize`, at most `maxTokens` in a sentence, positions from a first one, labels
 * below `classes`.
 */
export interface InputLimits {
  vocabSize: number;
  maxTokens: number;
  /** The first token's position: 0, but 2 in RoBERTa's table. */
  firstPosition: number;
  /** Of the classifier. */
  classes: number;
}

/**
 * Packs the token ids of some sentences, first and last special token included, and a label for each, and uploads
 * them. Throws a RangeError on a sentence that is empty or too long, on an id that has no embedding, and on a
 * missing or surplus label or one that is no class: a kernel would read other memory.
 */
export function packBatch(
  device: Device,
  sentences: readonly (readonly number[])[],
  labels: readonly number[],
  limits: InputLimits,
): PackedBatch {
  if (labels.length !== sentences.length) {
    throw new RangeError(`${sentences.length} sentences have ${labels.length} labels.`);
  }
  sentences.forEach((ids, sentence) => check(ids, labels[sentence], sentence, limits));
  const tokens = sentences.reduce((sum, { length }) => sum + length, 0);
  const rows = Math.ceil(tokens / rowMultiple) * rowMultiple;
  const tokenIds = new Uint32Array(rows);
  const positions = new Uint32Array(rows);
  const bounds = new Uint32Array(rows * 2).fill(tokens); // filling rows: [tokens, tokens) is empty
  const firstTokens = new Uint32Array(sentences.length);
  let row = 0;
  sentences.forEach((ids, sentence) => {
    const first = firstTokens[sentence] = row;
    tokenIds.set(ids, first);
    for (let position = 0; position < ids.length; position++, row++) {
      positions[row] = limits.firstPosition + position;
      bounds[2 * row] = first;
      bounds[2 * row + 1] = first + ids.length;
    }
  });
  const { indices, others } = rowIndices(
    device,
    [tokenIds, positions, new Uint32Array(rows), firstTokens],
    [
      { shape: [rows, 2], data: bounds },
      { shape: [labels.length], data: Uint32Array.from(labels) },
    ],
  );
  const [tokenIndex, positionIndex, typeIndex, firstIndex] = indices;
  return {
    rows,
    tokens,
    tokenIds: tokenIndex,
    positions: positionIndex,
    tokenTypes: typeIndex,
    sentences: others[0],
    firstTokens: firstIndex,
    labels: others[1],
    key: [rows, sentences.length, others[0].storage.id].join(),
  };
}

function check(
  ids: readonly number[],
  label: number,
  sentence: number,
  limits: InputLimits,
): void {
  const below = (value: number, end: number) =>
    Number.isInteger(value) && value >= 0 && value < end;
  const where = `Sentence ${sentence} of the batch`;
  if (ids.length === 0) throw new RangeError(`${where} has no tokens.`);
  if (ids.length > limits.maxTokens) {
    throw new RangeError(
      `${where} has ${ids.length} tokens; the model has positions for ${limits.maxTokens}.`,
    );
  }
  const id = ids.find((id) => !below(id, limits.vocabSize));
  if (id !== undefined) {
    throw new RangeError(
      `${where} has the token id ${id}; the model has embeddings for 0 to ${limits.vocabSize - 1}.`,
    );
  }
  if (!below(label, limits.classes)) {
    throw new RangeError(
      `${where} has the label ${label}; the model has classes 0 to ${limits.classes - 1}.`,
    );
  }
}
