/** The teacher's vectors of all sentences: computed piece by piece, each kept, so that what goes on computes none again. */
import { join } from "node:path";
import type { Device } from "../../engine/device.ts";
import { pack, unpack } from "../../engine/pack.ts";
import { maxTokens } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { piecesOf, readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { Teacher } from "../../models/pretraining/teacher.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { chunks } from "../../models/training/batches.ts";
import { formatCount, formatDuration } from "../shared/format.ts";
import type { Output } from "../shared/terminal.ts";
import { vectorsFolder } from "./work.ts";

/** Sentences of a kept piece. */
const pieceSize = 1024;
const tensor = "vectors";
/** A plain line comes after so many seconds. */
const plainSeconds = 30;

export interface TeachingOptions {
  teacher: ResolvedModel;
  texts: readonly string[];
  maxLength: number;
  /** The output's folder, below which pieces are kept. */
  output: string;
  out: Output;
  stopRequested: () => boolean;
}

/**
 * The teacher's vectors [texts, width], rounded to f16 as they are kept; undefined where it was asked to stop, after the
 * pieces that were whole. Pieces that an earlier run kept are taken from it.
 */
export async function learnVectors(
  device: Device,
  { teacher: model, texts, maxLength, output, out, stopRequested }: TeachingOptions,
): Promise<Float32Array | undefined> {
  const folder = vectorsFolder(output);
  const width = model.config.hiddenSize;
  const pieces = chunks(texts, pieceSize);
  const vectors = new Float32Array(texts.length * width);
  const place = (index: number) => index * pieceSize * width;
  const missing: number[] = [];
  for (const [index, piece] of pieces.entries()) {
    const kept = await readPiece(folder, index, [piece.length, width]);
    if (kept) vectors.set(kept, place(index));
    else missing.push(index);
  }
  if (missing.length === 0) return vectors;
  const tokenizer = await loadTokenizer(hostFolder(model.folder), model.config.vocabSize);
  const length = Math.min(maxLength, maxTokens(model.config));
  const weights = await openWeights(hostFolder(model.folder), model.config, 2);
  const show = teachingDisplay(out, texts.length, missing.length);
  try {
    const teacher = await Teacher.open(device, model.config, weights);
    try {
      for (const [done, index] of missing.entries()) {
        const sentences = pieces[index].map((text) => tokenizer.encode(text, length));
        const exact = await teacher.vectors(sentences, stopRequested);
        if (!exact) return undefined;
        const shape = [sentences.length, width];
        const tensors = new Map([[tensor, { shape, data: exact }]]);
        const file = { name: pieceName(index), tensors, dtype: "f16" } as const;
        await writeFileWhole(join(folder, file.name), piecesOf(file));
        vectors.set(unpack(pack(exact, "f16"), "f16"), place(index));
        show(done + 1);
      }
    } finally {
      teacher.destroy();
    }
  } finally {
    weights.close();
    if (out.terminal) out.write("\r\x1b[K");
  }
  return vectors;
}

const pieceName = (index: number) => `${String(index).padStart(5, "0")}.safetensors`;

/** A piece's values, where it is kept, of this shape and whole. */
async function readPiece(
  path: string,
  index: number,
  shape: readonly number[],
): Promise<Float32Array | undefined> {
  const folder = hostFolder(path);
  if (!(await folder.has(pieceName(index)))) return undefined;
  try {
    const found = (await readTensors(folder, pieceName(index))).get(tensor);
    return found?.shape.join() === shape.join() ? found.data : undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined; // cut off: it is computed again
    throw error;
  }
}

/** Tells how many pieces of those that were missing are done. */
function teachingDisplay(out: Output, sentences: number, missing: number) {
  const started = performance.now();
  let last = started;
  return (done: number) => {
    const now = performance.now();
    const left = (now - started) / 1000 / done * (missing - done);
    const count = Math.max(0, sentences - (missing - done) * pieceSize);
    const line = `Teacher: ${formatCount(count)} of ${formatCount(sentences)} sentences  ${
      formatDuration(left)
    } left`;
    if (out.terminal) return out.write(`\r\x1b[K${line.slice(0, out.columns() - 1)}`);
    if (now - last < plainSeconds * 1000 && done < missing) return;
    last = now;
    out.write(`${line}\n`);
  };
}
