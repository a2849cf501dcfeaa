/** Which column holds the texts and which the labels. */
import { UserError } from "../errors.ts";

/** In the order in which they are looked for: what is sure first, what often holds something else last. */
const usualNames = {
  text: [
    "text",
    "sentence",
    "content",
    "tweet",
    "review",
    "comment",
    "utterance",
    "message",
    "post",
    "document",
    "body",
    "description",
    "headline",
    "title",
  ],
  label: [
    "label",
    "labels",
    "emotion",
    "sentiment",
    "category",
    "class",
    "target",
    "intent",
    "emotions",
    "topic",
    "tag",
  ],
} as const;

export type ColumnKind = keyof typeof usualNames;

const sameName = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();

/** The columns that usually hold texts, or labels, by likelihood. */
export function usualColumns(columns: readonly string[], kind: ColumnKind): string[] {
  return usualNames[kind].flatMap((name) => {
    const found = columns.find((column) => column === name) ??
      columns.find((column) => sameName(column, name));
    return found === undefined ? [] : [found];
  });
}

/**
 * Finds one column by the name given, else by the usual names, in any case, but for those of `others`. Throws a `UserError`
 * that lists the columns that exist.
 */
export function findColumn(
  columns: readonly string[],
  kind: ColumnKind,
  asked: string | undefined,
  source: string,
  others: readonly (string | undefined)[] = [],
): string {
  const found = asked === undefined
    ? usualColumns(columns, kind).find((column) =>
      !others.some((other) => other !== undefined && sameName(other, column))
    )
    : columns.find((column) => column === asked) ??
      columns.find((column) => sameName(column, asked));
  if (found !== undefined) return found;
  const list = columns.map((column) => `"${column}"`).join(", ");
  throw new UserError(
    asked === undefined
      ? `${source} has no column called ${
        usualNames[kind].join(", ")
      }; its columns are ${list}. (The first ` +
        `line of a CSV or TSV file must name the columns.)`
      : `${source} has no column "${asked}"; its columns are ${list}.`,
    asked === undefined ? { remedy: { kind: "nameColumn", column: kind } } : { exitCode: 2 },
  );
}

/** Finds the text and the label column; throws as {@link findColumn} does, and where both are the same. */
export function findColumns(
  columns: readonly string[],
  asked: { textColumn?: string; labelColumn?: string },
  source: string,
): { textColumn: string; labelColumn: string } {
  const textColumn = findColumn(columns, "text", asked.textColumn, source, [asked.labelColumn]);
  const labelColumn = findColumn(columns, "label", asked.labelColumn, source, [textColumn]);
  if (textColumn === labelColumn) {
    throw new UserError(`The column "${textColumn}" cannot be both text and label.`, {
      exitCode: 2,
    });
  }
  return { textColumn, labelColumn };
}

/** Columns that would have been taken for labels, or for texts, had the one that was found not been there. */
export function otherColumns(
  columns: readonly string[],
  { textColumn, labelColumn }: { textColumn: string; labelColumn: string },
  asked: { textColumn?: string; labelColumn?: string },
): string[] {
  const kinds: ColumnKind[] = [
    ...(asked.textColumn === undefined ? ["text" as const] : []),
    ...(asked.labelColumn === undefined ? ["label" as const] : []),
  ];
  return kinds.flatMap((kind) => usualColumns(columns, kind))
    .filter((column) => column !== textColumn && column !== labelColumn);
}
