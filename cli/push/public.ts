/**
 * What of a run's JSON files goes public: no path of this machine does. A path becomes the name at its
 * end, and in a command the flags that say where results went are left out.
 */
import { isObject, toJson } from "../../models/files/json.ts";

/** The last name in a path of any system. */
export const baseName = (path: string): string =>
  path.split(/[\\/]+/).filter((part) => part !== "").at(-1) ?? path;

/**
 * Whether a text can only be a path: one that starts at the root, at home, here, above or on a drive; or one
 * word with backslashes or with more slashes than a name on the hub has.
 */
export const isPath = (text: string): boolean =>
  /^(file:|~[\\/]|\.{0,2}[\\/]|\.{1,2}$|[a-z]:[\\/])/i.test(text) ||
  /^\S*\\\S*$|^[^\s/]+\/[^\s/]+\/\S+$/.test(text);

/**
 * The folders of a path within a sentence, from the root or a drive to the last slash before a quote: names of
 * folders may hold spaces, so what stands between two paths is lost too.
 */
const foldersInText =
  /(?<![\w./<:])(?:file:\/\/)?(?:\/(?=\S)|~[\\/]|[A-Za-z]:[\\/]|\\\\)[^"'`\n]*[\\/]/g;

/** Numbers as they are written: AdapterHub tells 1.0 from 1. */
const asWritten = (_key: string, value: unknown, context?: { source?: string }) =>
  typeof value === "number" && context?.source !== undefined ? JSON.rawJSON(context.source) : value;

/** Fields that name a place on the machine, in the configs of PEFT, AdapterHub and transformers. */
const placeFields = [
  "_name_or_path",
  "base_model_name_or_path",
  "model_name",
  "name_or_path",
  "special_tokens_map_file",
  "tokenizer_file",
  "vocab_file",
];

/** Fields of the base's name, which has another in public. */
const baseFields = ["base_model_name_or_path", "model_name"];

/** A config file for the public: `base` for the name of the base, where it has one. The text as it is where nothing differs. */
export function publicConfig(text: string, base: string | undefined): string {
  const fields: unknown = JSON.parse(text.replace(/^\uFEFF/, ""), asWritten);
  if (!isObject(fields)) return text;
  const cleaned = { ...fields };
  for (const field of placeFields) {
    const value = fields[field];
    if (typeof value !== "string") continue;
    if (base !== undefined && baseFields.includes(field)) cleaned[field] = base;
    else if (isPath(value)) cleaned[field] = baseName(value);
  }
  const differs = placeFields.some((field) => cleaned[field] !== fields[field]);
  return differs ? toJson(cleaned) : text;
}

/** Flags that say where results went: of no use to others. */
const placeFlags = ["--output_dir", "--experiment"];
const valueless = ["--overwrite", "--json"];

/** A command's words, with the names at the ends of paths. `known` are names of the hub, which stay. */
export function publicCommand(command: readonly string[], known: readonly string[]): string[] {
  const clean = (value: string) =>
    known.includes(value) || !/[\\/]/.test(value) && !isPath(value) ? value : baseName(value);
  const words: string[] = [];
  for (let at = 0; at < command.length; at++) {
    const [, flag, value] = /^(--[\w-]+)(?:=(.*))?$/s.exec(command[at]) ?? [];
    const name = flag?.replace(/(?<=\w)-/g, "_");
    if (name !== undefined && placeFlags.includes(name)) {
      if (value === undefined) at++;
    } else if (name === undefined) words.push(clean(command[at]));
    else if (!valueless.includes(name)) {
      words.push(value === undefined ? command[at] : `${flag}=${clean(value)}`);
    }
  }
  return words;
}

/** What a run.json says of the names in it. */
export interface PublicNames {
  /** The base's name for others. */
  base?: string;
  /** Names of the hub, which look like paths and are none. */
  known: readonly string[];
  /** Paths of the machine that may stand within sentences, spaces and all. */
  secrets: readonly string[];
}

/** These are data, or hardware's names, and may look like anything. */
const data = ["labels", "label", "text_column", "label_column", "adapter"];

/** A `run.json` for the public. */
export function publicRecord(
  record: Record<string, unknown>,
  { base, known, secrets }: PublicNames,
): Record<string, unknown> {
  const longestFirst = secrets.toSorted((a, b) => b.length - a.length);
  const cleanText = (text: string): string => {
    if (known.includes(text)) return text;
    if (isPath(text)) return baseName(text);
    const withoutSecrets = longestFirst.reduce(
      (cleaned, path) => cleaned.replaceAll(path, baseName(path)),
      text,
    );
    return withoutSecrets.replace(foldersInText, "");
  };
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return cleanText(value);
    if (Array.isArray(value)) return value.map(clean);
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map((
        [key, inner],
      ) => [key, data.includes(key) ? inner : clean(inner)]),
    );
  };
  const { command, model, ...others } = record;
  const words = Array.isArray(command) && command.every((word) => typeof word === "string");
  const { folder: _folder, ...aboutModel } = isObject(model) ? model : {};
  return {
    ...clean(others) as Record<string, unknown>,
    ...(isObject(model)
      ? { model: { ...clean(aboutModel) as object, ...(base === undefined ? {} : { name: base }) } }
      : {}),
    ...(words ? { command: publicCommand(command, known) } : {}),
  };
}
