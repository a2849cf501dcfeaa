/** Which column holds the texts and which the labels. */
import { UserError } from "../errors.ts";

const usualNames = {
  text: ["text", "sentence", "content"],
  label: ["label", "emotion", "sentiment"],
} as const;

/**
 * Finds one column by the name given, else by the usual names, in any case. Throws a `UserError` that
 * lists the columns that exist.
 */
export function findColumn(
  columns: readonly string[],
  kind: "text" | "label",
  asked: string | undefined,
  source: string,
): string {
  const wanted = asked === undefined ? usualNames[kind] : [asked];
  for (const name of wanted) {
    const found = columns.find((column) => column === name) ??
      columns.find((column) => column.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
  }
  const list = columns.map((column) => `"${column}"`).join(", ");
  throw new UserError(
    asked === undefined
      ? `${source} has no column called ${
        wanted.join(", ")
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
  const textColumn = findColumn(columns, "text", asked.textColumn, source);
  const labelColumn = findColumn(columns, "label", asked.labelColumn, source);
  if (textColumn === labelColumn) {
    throw new UserError(`The column "${textColumn}" cannot be both text and label.`, {
      exitCode: 2,
    });
  }
  return { textColumn, labelColumn };
}
