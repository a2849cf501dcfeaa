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

/** What to say where the labels of a data set are lists. */
export function multiLabel({ where }: CompoundCell): UserError {
  return new UserError(
    `${where} is a list: rows with several labels (multi-label) are not trained yet, each has ` +
      `exactly one. Make single labels, with pandas for example: where no list has more than one, ` +
      `df["label"] = df["label"].str[0]; a row for each label, df.explode("label").`,
    { remedy: { kind: "otherColumns" } },
  );
}
