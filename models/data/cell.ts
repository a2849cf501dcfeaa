/** A value of a table as text. */
import { UserError } from "../errors.ts";

/** A value that is no scalar: one text and one label a row is what a classifier learns from. */
export class CompoundCell extends UserError {
  constructor(
    readonly where: string,
    /** "a list", say. */
    readonly what: string,
  ) {
    super(`${where} is ${what}. One text and one label a row are needed.`, {
      remedy: { kind: "otherColumns" },
    });
  }
}

/** Text of a scalar, "" for null and for what is no number. Throws a {@link CompoundCell}. */
export function cellText(value: unknown, where: string): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "";
  if (ArrayBuffer.isView(value)) throw new CompoundCell(where, "binary data");
  if (typeof value === "object") {
    throw new CompoundCell(where, Array.isArray(value) ? "a list" : "an object");
  }
  return String(value);
}

/** A list as Python and NumPy write it: `[2, 14]`, `['joy', 'love']`, `[2 14]`. */
const writtenList = /^\[\s*(?:(?:-?\d+|'[^']*'|"[^"]*")(?:[\s,]+|(?=\])))*\]$/;

/** Of labels that are all lists, written as text, one with several items; undefined where there is none. */
export function severalLabels(labels: readonly string[]): string | undefined {
  const filled = labels.map((label) => label.trim()).filter((label) => label !== "");
  return filled.every((label) => writtenList.test(label))
    ? filled.find((label) => /[\d'"][\s,]+[-\d'"]/.test(label))
    : undefined;
}

const singleLabels =
  `where no list has more than one, df["label"] = df["label"].str[0]; a row for ` +
  `each label, df.explode("label").`;

/** What to say where the labels of a data set are lists, `written` as text or not. */
export function multiLabel(where: string, written?: string): UserError {
  const what = written === undefined ? "is a list" : `holds lists, such as ${written}`;
  const first = written === undefined
    ? ""
    : `first df["label"] = df["label"].map(ast.literal_eval); then, `;
  return new UserError(
    `${where} ${what}: rows with several labels (multi-label) are not trained yet, each has ` +
      `exactly one. Make single labels, with pandas for example: ${first}${singleLabels}`,
    { remedy: { kind: "otherColumns" } },
  );
}
