/** Data sets as labelled examples. */
import { UserError } from "../files/errors.ts";
import type { HubSettings } from "../hub.ts";
import { cleanRows, type Example } from "./clean.ts";
import { findColumns } from "./columns.ts";
import { locateDataset, locateSample } from "./locate.ts";
import { openTable } from "./table.ts";

export type { Example } from "./clean.ts";

/** A data set, cleaned, before the split. */
export interface Dataset {
  /** What was asked for: a path, a hub id, or "sample". */
  name: string;
  /** Where it came from, for people. */
  source: string;
  /** Whether it is the built-in sample. */
  sample: boolean;
  /** Sorted. */
  labels: string[];
  examples: Example[];
  textColumn: string;
  labelColumn: string;
  rowsRead: number;
  emptyRows: number;
  duplicates: number;
  /** Texts that occur with more than one label; all are kept. */
  conflicts: number;
  /** SHA-256, in hex, over the examples. */
  hash: string;
  /** What the reader must not overlook. */
  notices: string[];
}

export interface DatasetRequest {
  /** A file, a folder with one, or a hub id; the default data set where it is missing. */
  dataset?: string;
  textColumn?: string;
  labelColumn?: string;
  /** Take the built-in sample. */
  useSample?: boolean;
  hub: HubSettings;
}

/**
 * Finds, reads and cleans a data set. Labels come from the data; empty rows and exact duplicates are
 * dropped and counted. Throws a `UserError` where it cannot be found or read, or has not at least
 * two classes.
 */
export async function loadDataset(request: DatasetRequest): Promise<Dataset> {
  const { dataset, useSample, hub } = request;
  if (useSample && dataset !== undefined) {
    throw new UserError(`--use_sample and --dataset ${dataset} contradict each other; give one.`, {
      exitCode: 2,
    });
  }
  const located = useSample ? locateSample() : await locateDataset(dataset, hub);
  const { name, source, sample, paths, notices } = located;
  // Columns that were named for another data set say nothing about the sample that stands in for it.
  const asked = sample && !useSample ? {} : request;
  let found: { textColumn: string; labelColumn: string } | undefined;
  const texts: string[] = [];
  const labels: string[] = [];
  for (const path of paths) {
    const table = await openTable(path);
    found ??= findColumns(table.columns, asked, path);
    const { textColumn, labelColumn } = findColumns(table.columns, found, path);
    for (const text of await table.read(textColumn)) texts.push(text);
    for (const label of await table.read(labelColumn)) labels.push(label);
  }
  const cleaned = cleanRows(texts, labels);
  if (found === undefined || cleaned.labels.length < 2) {
    throw new UserError(
      `${source} has ${cleaned.labels.length} classes after cleaning` +
        (cleaned.labels.length === 1 ? ` ("${cleaned.labels[0]}")` : "") +
        `; a classifier needs at least 2. Of ${texts.length} rows, ${cleaned.emptyRows} were empty.`,
    );
  }
  return { name, source, sample, ...found, rowsRead: texts.length, ...cleaned, notices };
}
