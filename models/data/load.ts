/** Data sets as labelled examples. */
import { counted, messageOf, UserError } from "../errors.ts";
import type { ByteSource } from "../files/byte_source.ts";
import { type CleanRows, cleanRows } from "./clean.ts";
import { type ClassNames, named, namesBeside, namesInFile } from "./class_names.ts";
import { otherColumns } from "./columns.ts";
import type { LabelCase } from "./labels.ts";
import { missingNotice, partNotices } from "./notices.ts";
import { type PartName, partNames } from "./part_names.ts";
import { isUnlabelled, type PartRows, readPart } from "./part_rows.ts";
import type { TableOptions } from "./table.ts";

export type { Example } from "./clean.ts";

/** A data set, cleaned, before the split; its options are those that it was read with. */
export interface Dataset extends Omit<CleanRows, "counts" | "missingLabels">, TableOptions {
  /** What was asked for: a path, a hub id, or "sample". */
  name: string;
  /** Where it came from, for people. */
  source: string;
  /** Whether it is the built-in sample. */
  sample: boolean;
  /**
   * Rows of each part, in the order of the examples, where the data come with a validation or a test part; what they come
   * without has none. Undefined where all is to be split.
   */
  given?: Record<PartName, number>;
  textColumn: string;
  labelColumn: string;
  /** Columns that might have been meant as well. */
  otherColumns: string[];
  /** What told the names of labels that are numbers. */
  labelNamesFrom?: string;
  rowsRead: number;
  /** What the reader must not overlook. */
  notices: string[];
}

/** Where a data set was found: what {@link Dataset} tells of it, and its files. They stay open. */
export interface DatasetFiles extends Pick<Dataset, "name" | "source" | "sample" | "notices"> {
  /** One file, or the shards of one table in their order: the training part, where others are given. */
  files: readonly ByteSource[];
  validation?: readonly ByteSource[];
  test?: readonly ByteSource[];
  /** Texts of files beside them that may name the classes, by file name, the surest first. */
  beside?: ReadonlyMap<string, string>;
}

type Parts = { train: PartRows; validation?: PartRows; test?: PartRows };

/** The names of labels that are numbers, where each number of every part has one. */
async function withNames(
  parts: Parts,
  beside: ReadonlyMap<string, string>,
): Promise<ClassNames | undefined> {
  const { train } = parts;
  const found = [
    await namesBeside(train, train.labelColumn, train.labels),
    ...[...beside].map(([file, text]) => namesInFile(file, text, train.labelColumn)),
  ].filter((names) => names !== undefined);
  for (const names of found) {
    const all = partNames.map((part) => [part, parts[part] && named(parts[part].labels, names)]);
    const byPart: Partial<Record<PartName, string[]>> = Object.fromEntries(all);
    if (partNames.some((part) => parts[part] && byPart[part] === undefined)) continue;
    for (const part of partNames) if (parts[part]) parts[part].labels = byPart[part]!;
    return names;
  }
}

/** What of a data set is taken, and how. */
export interface AskedData extends TableOptions {
  textColumn?: string;
  labelColumn?: string;
  labelCase?: LabelCase;
  /** Says a notice of a file in the program's own words; see {@link UserError.remedy}. */
  phrase?: (notice: UserError) => string;
}

/**
 * Reads and cleans a data set. Labels come from the data; empty rows and exact duplicates are dropped
 * and counted. A validation or a test part without labels is left out, under a notice. Throws a `UserError` where it
 * cannot be read, or has not at least two classes.
 */
export async function readDataset(
  { files, validation, test, beside = new Map(), ...about }: DatasetFiles,
  asked: AskedData = {},
): Promise<Dataset> {
  const { encoding, quoting, phrase = messageOf } = asked;
  const notices = [...about.notices];
  const train = await readPart(files, asked);
  const parts: Parts = { train };
  for (const [part, files] of [["validation", validation], ["test", test]] as const) {
    if (files === undefined) continue;
    const rows = await readPart(files, asked, train);
    if (isUnlabelled(rows, train)) {
      const names = files.map(({ name }) => name).join(", ");
      notices.push(
        `The ${part} data in ${names} are left out, since no row has a label: a tenth of the ` +
          `training data takes their place.`,
      );
    } else parts[part] = rows;
  }
  const { textColumn, labelColumn } = train;
  const names = await withNames(parts, beside);
  const { counts, missingLabels, ...cleaned } = await cleanRows(parts, asked.labelCase);
  const { labels, emptyRows } = cleaned;
  const rowsRead = partNames.reduce((sum, part) => sum + (parts[part]?.texts.length ?? 0), 0);
  const missing = missingNotice(missingLabels);
  if (labels.length < 2) {
    const had = rowsRead === 0
      ? "has no rows"
      : labels.length === 0
      ? "has no labelled rows"
      : `has one class, "${labels[0]}"`;
    const dropped = emptyRows > 0
      ? ` Of its ${counted(rowsRead, "row")}, ${
        emptyRows === 1 ? "one was" : `${emptyRows} were`
      } ` +
        `dropped for an empty text or label.`
      : "";
    const others = otherColumns(train.columns, train, { textColumn, ...asked })
      .map((column) => `"${column}"`);
    throw new UserError(
      `${about.source} ${had}; a classifier needs at least two classes.${dropped}` +
        (missing === undefined ? "" : ` ${missing}`) +
        (others.length === 0
          ? ""
          : ` Its labels are those of "${labelColumn}"; there is ${others.join(" and ")} too.`),
      others.length === 0 ? {} : { remedy: { kind: "nameColumn", column: "label" } },
    );
  }
  if (missing !== undefined) notices.push(missing);
  for (const part of partNames) notices.push(...(parts[part]?.notices ?? []).map(phrase));
  const isGiven = counts.validation + counts.test > 0;
  if (isGiven) notices.push(...partNotices(labels, cleaned.examples, counts));
  return {
    ...about,
    ...cleaned,
    ...(isGiven && { given: counts }),
    encoding,
    quoting,
    textColumn,
    labelColumn,
    otherColumns: otherColumns(train.columns, train, asked),
    ...(names && { labelNamesFrom: names.from }),
    rowsRead,
    notices,
  };
}
