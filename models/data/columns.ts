/** Which column holds the texts and which the labels. */
import { quotedNames, UserError } from "../errors.ts";

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

/** The record that a nested column is a field of, with its dot: `data.` of `data.text`, nothing of `text`. */
const recordOf = (column: string) => column.slice(0, column.lastIndexOf(".") + 1);

/** The columns that usually hold texts, or labels, by likelihood; of the fields of `record`, where one is given. */
export function usualColumns(columns: readonly string[], kind: ColumnKind, record = ""): string[] {
  return usualNames[kind].map((name) => `${record}${name}`).flatMap((name) => {
    const found = columns.find((column) => column === name) ??
      columns.find((column) => sameName(column, name));
    return found === undefined ? [] : [found];
  });
}

/**
 * Finds one column by the name given, else by the usual names, in any case, but for those of `others`; where these are fields
 * of a record, beside them too. Throws a `UserError` that lists the columns that exist.
 */
export function findColumn(
  columns: readonly string[],
  kind: ColumnKind,
  asked: string | undefined,
  source: string,
  others: readonly (string | undefined)[] = [],
): string {
  const known = others.filter((other) => other !== undefined);
  const found = asked === undefined
    ? ["", ...known.map(recordOf)]
      .flatMap((record) => usualColumns(columns, kind, record))
      .find((column) => !known.some((other) => sameName(other, column)))
    : columns.find((column) => column === asked) ??
      columns.find((column) => sameName(column, asked));
  if (found !== undefined) return found;
  // Such a column is there, and is asked for as something else.
  const isTaken = usualColumns(columns, kind).length > 0;
  throw asked === undefined
    ? new UserError(
      `${source} has no ${isTaken ? "other " : ""}column called ${usualNames[kind].join(", ")}; ` +
        `${thereAre(columns)}.` +
        (!isTaken && /\.[ct]sv(\.gz)?$/i.test(source)
          ? ` (The first line of a CSV or TSV file must name the columns.)`
          : ""),
      { remedy: { kind: "nameColumn", column: kind } },
    )
    : new UserError(`${source} has no column "${asked}"; ${thereAre(columns)}.`, { exitCode: 2 });
}

/** So many columns are named: what is no table may have one a row. */
const mostNamed = 20;

/** What columns there are, for a sentence. */
function thereAre(columns: readonly string[]): string {
  if (columns.length === 0) return "it has no columns";
  const named = quotedNames(columns, mostNamed);
  return columns.length === 1 ? `its only column is ${named}` : `its columns are ${named}`;
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
