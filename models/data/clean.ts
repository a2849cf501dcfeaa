/** From raw rows to labelled examples: what is dropped, what is counted, and the data's hash. */
import { hexOf } from "../files/hex.ts";
import { countOf, formatCount } from "../numbers.ts";
import { isBlank, type LabelCase, type LookAlikes, normalLabels } from "./labels.ts";
import { type PartName, partNames } from "./part_names.ts";

export interface Example {
  text: string;
  /** Index into the sorted labels. */
  label: number;
  /**
   * Its row in the data set, from 1: a line that names columns does not count, nor do empty lines, and the rows of
   * several files of a part count on. Undefined where it comes from no data set.
   */
  row?: number;
}

export interface CleanRows {
  /** Sorted: whole numbers by value, else by code unit, so that the order is the same everywhere. */
  labels: string[];
  /** In the order of the rows, part after part. */
  examples: Example[];
  /** How many of the examples are of which part. */
  counts: Record<PartName, number>;
  /** Rows dropped because text or label is empty. */
  emptyRows: number;
  /** Those of them whose label is a word for what is missing, such as `nan`, by the word. */
  missingLabels: Map<string, number>;
  /** Rows dropped because an earlier row of the same part has the same text and label. */
  duplicates: number;
  /** Texts that occur with more than one label; all of them are kept. */
  conflicts: number;
  /** Labels that differ in case, in inner blanks or in what cannot be seen alone. */
  lookAlikes: LookAlikes[];
  /** SHA-256, in hex, of the kept rows' texts and labels in their order, and of their parts where those are given. */
  hash: string;
}

/** What was left out of the rows, for people: `3 empty and 1 duplicate rows dropped`; undefined where nothing was. */
export function droppedRows(
  { emptyRows, duplicates }: Pick<CleanRows, "emptyRows" | "duplicates">,
): string | undefined {
  const kinds: string[] = [];
  if (emptyRows > 0) kinds.push(`${formatCount(emptyRows)} empty`);
  if (duplicates > 0) kinds.push(`${formatCount(duplicates)} duplicate`);
  const rows = emptyRows + duplicates === 1 ? "row" : "rows";
  return kinds.length > 0 ? `${kinds.join(" and ")} ${rows} dropped` : undefined;
}

/** Of texts that have more than one label, for people; undefined where there are none. */
export const conflictingTexts = ({ conflicts }: Pick<CleanRows, "conflicts">): string | undefined =>
  conflicts > 0 ? `${countOf(conflicts, "text has", "texts have")} more than one label` : undefined;

/** Rows as tables have them: `texts[i]` has `labels[i]`. */
export interface RawRows {
  texts: readonly string[];
  labels: readonly string[];
}

function sortLabels(labels: Iterable<string>): string[] {
  const sorted = [...labels].sort();
  return sorted.every((label) => /^-?\d{1,15}$/.test(label))
    ? sorted.sort((a, b) => Number(a) - Number(b))
    : sorted;
}

interface Row {
  text: string;
  label: string;
  row: number;
  part: PartName;
}

/** Rows whose text is encoded at once: one string of all of them could exceed what a string holds. */
const rowsAtOnce = 4096;

/** SHA-256, in hex, of the rows as JSON lines `["text","label"]`, and `["text","label","test"]` beside the training part. */
async function hashOf(rows: readonly Row[]): Promise<string> {
  const parts: string[] = [];
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const lines = rows.slice(from, from + rowsAtOnce).map(({ text, label, part }) =>
      JSON.stringify([text, label, ...(part === "train" ? [] : [part])]) + "\n"
    );
    parts.push(lines.join(""));
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return hexOf(digest);
}

/**
 * Trims, brings labels into one spelling, drops empty rows and, within each part, exact duplicates, and numbers the
 * labels, which all parts share.
 */
export async function cleanRows(
  { train, validation, test }: { train: RawRows; validation?: RawRows; test?: RawRows },
  labelCase: LabelCase = "keep",
): Promise<CleanRows> {
  const parts = { train, validation, test };
  const column = partNames.flatMap((part) => parts[part]?.labels ?? []);
  const { labels, missing, lookAlikes } = normalLabels(column, labelCase);
  const kept: Row[] = [];
  const labelsOf = new Map<string, Set<string>>();
  const counts = { train: 0, validation: 0, test: 0 };
  let emptyRows = 0;
  let duplicates = 0;
  let at = 0;
  for (const part of partNames) {
    const { texts } = parts[part] ?? { texts: [] };
    const seen = new Map<string, Set<string>>();
    for (let row = 0; row < texts.length; row++) {
      const text = texts[row].trim();
      const label = labels[at++];
      if (label === "" || isBlank(text)) {
        emptyRows++;
        continue;
      }
      if (seen.get(text)?.has(label)) {
        duplicates++;
        continue;
      }
      addTo(seen, text, label);
      addTo(labelsOf, text, label);
      counts[part]++;
      kept.push({ text, label, row: row + 1, part });
    }
  }
  const names = sortLabels(new Set(kept.map(({ label }) => label)));
  const ids = new Map(names.map((name, id) => [name, id]));
  return {
    labels: names,
    examples: kept.map(({ text, label, row }) => ({ text, label: ids.get(label)!, row })),
    counts,
    emptyRows,
    missingLabels: missing,
    duplicates,
    conflicts: [...labelsOf.values()].filter((labels) => labels.size > 1).length,
    lookAlikes,
    hash: await hashOf(kept),
  };
}

function addTo(map: Map<string, Set<string>>, key: string, value: string): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, new Set([value]));
  else values.add(value);
}
