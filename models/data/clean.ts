/** From raw rows to labelled examples: what is dropped, what is counted, and the data's hash. */

export interface Example {
  text: string;
  /** Index into the sorted labels. */
  label: number;
  /**
   * Its row in the data set, from 1: a line that names columns does not count, nor do empty lines, and the rows of
   * several files count on. Undefined where it comes from no data set.
   */
  row?: number;
}

export interface CleanRows {
  /** Sorted: whole numbers by value, else by code unit, so that the order is the same everywhere. */
  labels: string[];
  /** In the order of the rows. */
  examples: Example[];
  /** Rows dropped because text or label is empty. */
  emptyRows: number;
  /** Rows dropped because an earlier row has the same text and label. */
  duplicates: number;
  /** Texts that occur with more than one label; all of them are kept. */
  conflicts: number;
  /** SHA-256, in hex, of the kept rows' texts and labels in their order. */
  hash: string;
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
}

/** Rows whose text is encoded at once: one string of all of them could exceed what a string holds. */
const rowsAtOnce = 4096;

/** SHA-256, in hex, of the rows as JSON lines `["text","label"]`. */
async function hashOf(rows: readonly Row[]): Promise<string> {
  const parts: string[] = [];
  for (let from = 0; from < rows.length; from += rowsAtOnce) {
    const lines = rows.slice(from, from + rowsAtOnce).map(({ text, label }) =>
      JSON.stringify([text, label]) + "\n"
    );
    parts.push(lines.join(""));
  }
  const digest = await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer());
  return new Uint8Array(digest).toHex();
}

/** Trims, drops empty rows and exact duplicates, and numbers the labels. `texts[i]` has `labels[i]`. */
export async function cleanRows(
  texts: readonly string[],
  labels: readonly string[],
): Promise<CleanRows> {
  const kept: Row[] = [];
  const labelsOf = new Map<string, Set<string>>();
  let emptyRows = 0;
  let duplicates = 0;
  for (let row = 0; row < texts.length; row++) {
    const text = texts[row].trim();
    const label = labels[row].trim();
    if (text === "" || label === "") {
      emptyRows++;
      continue;
    }
    const seen = labelsOf.get(text);
    if (seen?.has(label)) {
      duplicates++;
      continue;
    }
    if (seen === undefined) labelsOf.set(text, new Set([label]));
    else seen.add(label);
    kept.push({ text, label, row: row + 1 });
  }
  const names = sortLabels(new Set(kept.map(({ label }) => label)));
  const ids = new Map(names.map((name, id) => [name, id]));
  return {
    labels: names,
    examples: kept.map(({ text, label, row }) => ({ text, label: ids.get(label)!, row })),
    emptyRows,
    duplicates,
    conflicts: [...labelsOf.values()].filter((labels) => labels.size > 1).length,
    hash: await hashOf(kept),
  };
}
