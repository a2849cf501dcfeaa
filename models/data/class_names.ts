/** Names for labels that are numbers, where the data tell them. */
import { isObject } from "../files/json.ts";
import type { Table } from "./table.ts";

/** Names of a label column's classes by number, and what told them. */
export interface ClassNames {
  names: ReadonlyMap<string, string>;
  from: string;
}

const isWhole = (label: string) => /^-?\d+(?:\.0*)?$/.test(label.trim());
const numberOf = (label: string) => label.trim().replace(/\.0*$/, "");

/** Columns that hold the names of a column of numbers, as SetFit's data sets have `label_text`. */
function namesColumn(columns: readonly string[], label: string): string | undefined {
  const usual = ["text", "name", "names", "str", "string"].flatMap((end) => [
    ...[label, "label"].flatMap((name) => [`${name}_${end}`, `${name}${end}`]),
  ]);
  return usual.flatMap((name) =>
    columns.filter((column) => column.toLowerCase() === name.toLowerCase())
  ).at(0);
}

/**
 * The names that a second column gives a column of numbers; undefined where the labels are not numbers, or where a number
 * has several names, or a name several numbers: then the column says something else.
 */
export async function namesBeside(
  table: Pick<Table, "columns" | "read">,
  labelColumn: string,
  labels: readonly string[],
): Promise<ClassNames | undefined> {
  const column = namesColumn(table.columns, labelColumn);
  if (column === undefined || column === labelColumn) return undefined;
  const values = await table.read(column);
  const names = new Map<string, string>();
  for (const [row, label] of labels.entries()) {
    if (label.trim() === "") continue;
    const name = values[row].trim();
    if (!isWhole(label) || name === "") return undefined;
    if ((names.get(numberOf(label)) ?? name) !== name) return undefined;
    names.set(numberOf(label), name);
  }
  return names.size === 0 || new Set(names.values()).size < names.size
    ? undefined
    : { names, from: `column "${column}"` };
}

/** The labels by name; as they are where one is no number, or has no name. -1 is what Hugging Face's `datasets` write for none. */
export function named(
  labels: readonly string[],
  { names }: Pick<ClassNames, "names">,
): string[] | undefined {
  const nameOf = (label: string) => {
    if (label.trim() === "" || numberOf(label) === "-1" && !names.has("-1")) return "";
    return isWhole(label) ? names.get(numberOf(label)) : undefined;
  };
  const found = labels.map(nameOf);
  return found.every((name) => name !== undefined) ? found : undefined;
}

const listed = (names: unknown): Map<string, string> | undefined =>
  Array.isArray(names) && names.every((name) => typeof name === "string")
    ? new Map(names.map((name, index) => [`${index}`, name]))
    : undefined;

/** Of several configurations those that all have; undefined where they differ. */
function ofAll(found: Map<string, string>[]): Map<string, string> | undefined {
  const texts = new Set(found.map((names) => JSON.stringify([...names])));
  return texts.size === 1 ? found[0] : undefined;
}

/** `id2label` as a model's `config.json` has it. */
const inConfig = (names: Record<string, unknown>): Map<string, string> =>
  new Map(Object.entries(names).map(([key, name]) => [key, String(name)]));

/** The class names of a column in `dataset_infos.json`, by configuration. */
function inInfos(json: unknown, column: string): Map<string, string> | undefined {
  if (!isObject(json)) return undefined;
  if (isObject(json.id2label)) return inConfig(json.id2label);
  const found = Object.values(json).flatMap((info) => {
    const features = isObject(info) ? info.features : undefined;
    const feature = isObject(features) ? features[column] : undefined;
    return isObject(feature) ? listed(feature.names) ?? [] : [];
  });
  return ofAll(found);
}

/**
 * The class names of a column in a data set's card: the lines of its YAML header
 * `- name: label`, `dtype:`, `class_label:`, `names:`, `'0': sadness` …, each deeper than the one before.
 */
function inCard(text: string, column: string): Map<string, string> | undefined {
  const header = /^\uFEFF?---\r?\n([\s\S]*?)\r?\n---/.exec(text)?.[1];
  if (header === undefined) return undefined;
  const lines = header.split(/\r?\n/);
  const plain = (value: string) => value.trim().replace(/^(['"])(.*)\1$/, "$2");
  const found: Map<string, string>[] = [];
  let feature = "";
  for (const [at, line] of lines.entries()) {
    feature = /^\s*- name:\s*(.+)$/.exec(line)?.[1] ?? feature;
    if (plain(feature) !== column || !/^\s+names:\s*$/.test(line)) continue;
    const names = new Map<string, string>();
    for (const below of lines.slice(at + 1)) {
      const [, key, name] = /^\s+['"]?(\d+)['"]?:\s*(.+)$/.exec(below) ?? [];
      if (key === undefined) break;
      names.set(key, plain(name));
    }
    if (names.size > 0) found.push(names);
  }
  return ofAll(found);
}

/** The files beside a data set that may name its classes, the surest first. */
export const classNameFiles = ["README.md", "dataset_infos.json", "config.json"];

/** The names that a file of {@link classNameFiles} gives a column; undefined where it gives none, or is damaged. */
export function namesInFile(file: string, text: string, column: string): ClassNames | undefined {
  let names: Map<string, string> | undefined;
  if (file.endsWith(".json")) {
    try {
      names = inInfos(JSON.parse(text), column);
    } catch {
      return undefined; // it is the data's, not what was asked for: the numbers do
    }
  } else names = inCard(text, column);
  if (names === undefined || new Set(names.values()).size < names.size) return undefined;
  return { names, from: file };
}
