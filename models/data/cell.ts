/** A value of a table as text. */
import { UserError } from "../errors.ts";

/**
 * Text of a scalar, "" for null. Throws a `UserError` for a list or an object, at `where`: one text
 * and one label a row is what a classifier learns from.
 */
export function cellText(value: unknown, where: string): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "object") {
    const kind = Array.isArray(value) || ArrayBuffer.isView(value) ? "a list" : "an object";
    throw new UserError(`${where} is ${kind}. One text and one label a row are needed.`, {
      remedy: { kind: "otherColumns" },
    });
  }
  return String(value);
}
