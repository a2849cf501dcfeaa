/** The reader's data: the built-in sample, lines that were pasted, or a file. */
import { type Dataset, type DatasetFiles, readDataset } from "../../models/data/load.ts";
import { type Split, stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";
import { blobSource, type ByteSource, bytesSource } from "../../models/files/byte_source.ts";

export interface LabelledData {
  dataset: Dataset;
  split: Split;
  seed: number;
}

/** The seed of the split, which is the command line's default. */
const splitSeed = 42;

/** Reads files as the command line does, and splits them as it would. Throws a UserError where they cannot be used. */
export async function readData(files: DatasetFiles): Promise<LabelledData> {
  const dataset = await readDataset(files);
  return { dataset, split: stratifiedSplit(dataset, { seed: splitSeed }), seed: splitSeed };
}

const read = (about: { name: string; source: string; sample: boolean }, file: ByteSource) =>
  readData({ ...about, notices: [], files: [file] });

/** The built-in sample, from its file. */
export const sampleData = (file: Blob): Promise<LabelledData> =>
  read(
    { name: "sample", source: "built-in sample", sample: true },
    blobSource(file, "emotions.csv"),
  );

/** A CSV, TSV, JSON or Parquet file that was chosen or dropped. Throws a UserError where it cannot be used. */
export const fileData = (file: File): Promise<LabelledData> =>
  read({ name: file.name, source: file.name, sample: false }, blobSource(file, file.name));

/**
 * Lines of a sentence and its label, apart by a tab or by the line's last comma or semicolon: a sentence may hold
 * commas, a label seldom does. Throws a UserError that names the first line without a label.
 */
export function pastedRows(text: string): { text: string; label: string }[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const found = /^(.+)(?:\t|[,;])([^\t,;]+)$/.exec(line.trim());
    if (found === null) {
      const shown = line.trim().slice(0, 60);
      throw new UserError(
        `Line ${index + 1} has no label: "${shown}". Write the sentence, a comma and its label.`,
      );
    }
    const [text, label] = [found[1].trim().replace(/^"(.*)"$/, "$1"), found[2].trim()];
    return index === 0 && text === "text" && label === "label" ? [] : [{ text, label }];
  });
}

/** Data from pasted lines; see {@link pastedRows}. */
export function pastedData(text: string): Promise<LabelledData> {
  const lines = pastedRows(text).map((row) => JSON.stringify(row)).join("\n");
  const bytes = new TextEncoder().encode(lines);
  const about = { name: "pasted", source: "The pasted text", sample: false };
  return read(about, bytesSource(bytes, "pasted.jsonl"));
}
