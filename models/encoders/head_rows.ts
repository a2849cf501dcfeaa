/** Which rows of a checkpoint's classifier are which of the data's classes: by their names, never by their number. */
import { isObject } from "../files/json.ts";

/** The classifier's row of each label, or why there is none: a clause for after "The checkpoint's classifier". */
export type HeadRows = { rows: number[] } | { other: string };

/** The names of a classifier's rows in a config.json, in their order; undefined where it names none, or with gaps. */
function namesOf(fields: Record<string, unknown>): string[] | undefined {
  const { id2label, label2id } = fields;
  const pairs: [id: number, name: unknown][] = isObject(id2label)
    ? Object.entries(id2label).map(([id, name]) => [Number(id), name])
    : isObject(label2id)
    ? Object.entries(label2id).map(([name, id]) => [Number(id), name])
    : [];
  const names: string[] = [];
  for (const [id, name] of pairs) {
    if (!Number.isInteger(id) || id < 0 || id >= pairs.length || names[id] !== undefined) return;
    names[id] = String(name);
  }
  return names.length > 0 ? names : undefined;
}

const folded = (name: string) => name.normalize("NFKC").trim().toLowerCase();

/** The row of each label: of the same name, or of the one other that differs in case and blanks alone. */
function rowsOf(names: readonly string[], labels: readonly string[]): number[] | undefined {
  const rows = labels.map((label) =>
    names.indexOf(label) === names.lastIndexOf(label) ? names.indexOf(label) : -1
  );
  for (const [at, label] of labels.entries()) {
    if (rows[at] >= 0) continue;
    const alike = names.flatMap((name, row) =>
      !rows.includes(row) && folded(name) === folded(label) ? [row] : []
    );
    if (alike.length !== 1) return undefined;
    rows[at] = alike[0];
  }
  return rows;
}

/**
 * Finds the rows of a checkpoint's classifier, of which the fields of its config.json tell, for labels. There are none
 * where these are other names, or where it was trained for another task than one label a text; `architecture` is the
 * class in transformers that has such a classifier.
 */
export function headRows(
  fields: Record<string, unknown>,
  labels: readonly string[],
  architecture: string,
): HeadRows {
  const { problem_type: task, architectures } = fields;
  if (task === "multi_label_classification") {
    return { other: "gives each text several labels (problem_type multi_label_classification)" };
  }
  if (task === "regression") return { other: "gives a number (problem_type regression)" };
  const [model] = Array.isArray(architectures) ? architectures : [];
  if (typeof model === "string" && model !== architecture) {
    return { other: `is that of a ${model}` };
  }
  const names = namesOf(fields);
  if (names === undefined) {
    return { other: "does not say what its classes are called (no id2label)" };
  }
  return rowsNamed(names, labels);
}

/** As {@link headRows}, for rows of these names. */
export function rowsNamed(names: readonly string[], labels: readonly string[]): HeadRows {
  const rows = names.length === labels.length ? rowsOf(names, labels) : undefined;
  if (rows !== undefined) return { rows };
  if (names.every((name, id) => name === `LABEL_${id}`)) {
    const last = names.length > 1 ? ` … ${names.at(-1)}` : "";
    return { other: `calls its classes ${names[0]}${last}, which are no names` };
  }
  if (names.length !== labels.length) {
    return { other: `has ${names.length} classes (${shortList(names)})` };
  }
  const missing = labels.filter((label) => !names.some((name) => folded(name) === folded(label)));
  return {
    other: missing.length > 0
      ? `has classes of other names (${shortList(names)}; none for ${shortList(missing)})`
      : `has classes whose names are too much alike (${shortList(names)})`,
  };
}

function shortList(names: readonly string[]): string {
  return names.slice(0, 4).join(", ") + (names.length > 4 ? ", …" : "");
}
