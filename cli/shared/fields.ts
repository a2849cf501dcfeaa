/** Fields of JSON that others wrote, as far as they are of the kind that is asked for. */

/** A field's text; undefined where it is something else. */
export function textIn(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A field's number; undefined where it is something else. */
export function numberIn(value: unknown): number | undefined {
  return typeof value === "number" ? value : undefined;
}

/** A field's list of names, or one name; undefined where it is something else. */
export function namesIn(value: unknown): string | string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? [...new Set(value.map(String))] : textIn(value);
}
