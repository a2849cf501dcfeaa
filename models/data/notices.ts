/** Sentences on what of a data set its reader must not overlook. */
import { counted, listed } from "../errors.ts";
import type { Example } from "./clean.ts";
import { type PartName, partNames } from "./part_names.ts";

const quoted = (labels: readonly string[]) => listed(labels.map((label) => `"${label}"`), 10);

/** On labels that were read as missing, though they are words. */
export function missingNotice(missing: ReadonlyMap<string, number>): string | undefined {
  if (missing.size === 0) return undefined;
  const told = [...missing].map(([word, rows]) => `"${word}" (${counted(rows, "row")})`);
  return `Dropped as missing, as pandas reads them, are the labels ${
    listed(told, 10)
  }. Where that ` +
    `is a class, give it another name.`;
}

/** The parts of a data set that are given, and whose rows they are. */
export function givenParts(
  examples: readonly Example[],
  counts: Record<PartName, number>,
): Map<PartName, readonly Example[]> {
  let from = 0;
  const parts = partNames.map((part) =>
    [part, examples.slice(from, from += counts[part])] as const
  );
  return new Map(parts.filter(([, rows]) => rows.length > 0));
}

/** On parts that came as they are: classes that one of them lacks, and texts that training sees too. */
export function partNotices(
  labels: readonly string[],
  examples: readonly Example[],
  counts: Record<PartName, number>,
): string[] {
  const parts = givenParts(examples, counts);
  const train = parts.get("train") ?? [];
  const trained = new Set(train.map(({ label }) => label));
  const texts = new Set(train.map(({ text }) => text));
  const notices: string[] = [];
  for (const [part, rows] of parts) {
    if (part === "train") continue;
    const has = new Set(rows.map(({ label }) => label));
    const names = [...labels.keys()];
    const unknown = names.filter((label) => has.has(label) && !trained.has(label));
    if (unknown.length > 0) {
      const count = rows.filter(({ label }) => unknown.includes(label)).length;
      notices.push(
        `No training row has ${quoted(unknown.map((label) => labels[label]))}, which ` +
          `${counted(count, `${part} row has`, `${part} rows have`)}: ` +
          `${unknown.length === 1 ? "it" : "they"} cannot be learnt.`,
      );
    }
    const absent = names.filter((label) => !has.has(label));
    if (absent.length > 0) {
      notices.push(
        `No ${part} row has ${quoted(absent.map((label) => labels[label]))}: counted as 0 in the ` +
          `macro averages of that part.`,
      );
    }
    const leaked = rows.filter(({ text }) => texts.has(text)).length;
    if (leaked > 0) {
      notices.push(
        `${leaked} of ${counted(rows.length, `${part} row`)} ` +
          (leaked === 1
            ? "has a text that training sees too: it is kept, and makes"
            : "have texts that training sees too: they are kept, and make") +
          ` that part's figures too good.`,
      );
    }
  }
  return notices;
}
