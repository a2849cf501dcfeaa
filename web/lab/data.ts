/** The reader's data: the built-in sample, lines that were pasted, or a file. */
import { conflictingTexts, droppedRows } from "../../models/data/clean.ts";
import { type Dataset, type DatasetFiles, readDataset } from "../../models/data/load.ts";
import { type Split, stratifiedSplit } from "../../models/data/split.ts";
import { quotedNames, UserError } from "../../models/errors.ts";
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

/** What a reader is to know of how rows were read: which columns, where others might have been meant, and what was dropped. */
export function aboutRows(dataset: Dataset): string[] {
  const { textColumn, labelColumn, otherColumns } = dataset;
  const columns = otherColumns.length > 0
    ? `Texts are in the column "${textColumn}", labels in "${labelColumn}"; not used: ` +
      quotedNames(otherColumns)
    : undefined;
  return [columns, droppedRows(dataset), conflictingTexts(dataset)]
    .flatMap((each) => each === undefined ? [] : `${each}.`);
}

/** A field as CSV has it: what is in quotes, of which two stand for one, or all of it. */
function unquoted(field: string): string {
  const [, quoted] = /^"((?:[^"]|"")*)"$/.exec(field) ?? [];
  return quoted?.replaceAll('""', '"').trim() ?? field;
}

/** A label in quotes may hold what else ends a sentence. */
const pastedLines = [/^(.+)[\t,;]\s*("(?:[^"]|"")+")$/, /^(.+)[\t,;]([^\t,;]+)$/];

/**
 * Lines of a sentence and its label, apart by a tab or by the line's last comma or semicolon: a sentence may hold
 * commas, a label seldom does. Either may be in quotes. Throws a UserError that names the first line without a label.
 */
export function pastedRows(text: string): { text: string; label: string }[] {
  return text.split(/\r?\n/).flatMap((line, index) => {
    if (line.trim() === "") return [];
    const found = pastedLines.map((form) => form.exec(line.trim())).find((each) => each !== null);
    if (found === undefined) {
      const shown = line.trim().slice(0, 60);
      throw new UserError(
        `Line ${index + 1} has no label: "${shown}". Write the sentence, a comma and its label.`,
      );
    }
    const [text, label] = found.slice(1).map((field) => unquoted(field.trim()));
    return index === 0 && text === "text" && label === "label" ? [] : [{ text, label }];
  });
}

/** Data from pasted lines; see {@link pastedRows}. Throws a UserError where they cannot be used. */
export async function pastedData(text: string): Promise<LabelledData> {
  const rows = pastedRows(text);
  if (rows.length === 0) {
    throw new UserError(
      "There is no line to use. Write sentences, each with a comma and its label.",
    );
  }
  const bytes = new TextEncoder().encode(rows.map((row) => JSON.stringify(row)).join("\n"));
  const about = { name: "pasted", source: "The pasted text", sample: false };
  return await read(about, bytesSource(bytes, "pasted.jsonl"));
}
