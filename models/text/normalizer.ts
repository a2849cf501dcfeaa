/** The `normalizer` of a `tokenizer.json`: what happens to a text before it is cut into words. */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { typeIn } from "./kind.ts";
import {
  clean,
  decompose,
  lowercase,
  spaceIdeographs,
  stripAccents,
  stripMarks,
} from "./unicode.ts";

export type Normalizer = (text: string) => string;

const simple: Record<string, Normalizer> = {
  Lowercase: lowercase,
  StripAccents: stripMarks,
  NFD: decompose,
  // By the engine's Unicode: marks and letters newer than Python's tables may differ from it.
  NFC: (text) => text.normalize("NFC"),
  NFKC: (text) => text.normalize("NFKC"),
  NFKD: (text) => text.normalize("NFKD"),
};

/** Makes a file's normalizer. Throws a `UserError` naming a kind that is not computed. */
export function makeNormalizer(json: unknown, source: string): Normalizer {
  if (json === null || json === undefined) return (text) => text;
  const type = isObject(json) ? json.type : json;
  if (isObject(json) && type === "BertNormalizer") return bertNormalizer(json, source);
  if (isObject(json) && type === "Sequence" && Array.isArray(json.normalizers)) {
    const steps = json.normalizers.map((step: unknown) => makeNormalizer(step, source));
    return (text) => steps.reduce((done, step) => step(done), text);
  }
  if (typeof type === "string" && Object.hasOwn(simple, type)) return simple[type];
  throw new UserError(
    `${source} has the normalizer ${typeIn(json)}, which is not computed here. These are: ` +
      `BertNormalizer, ${Object.keys(simple).join(", ")} and a Sequence of them.`,
  );
}

/** BERT's: cleaning, spaces round Chinese characters, then accents and case. */
function bertNormalizer(json: Record<string, unknown>, source: string): Normalizer {
  const setting = (name: string, fallback: boolean): boolean => {
    const value = json[name] ?? fallback;
    if (typeof value === "boolean") return value;
    throw new UserError(
      `${source}: the BertNormalizer's ${name} is ${JSON.stringify(value)}, not true or false.`,
    );
  };
  const lower = setting("lowercase", true);
  const steps = [
    setting("clean_text", true) && clean,
    setting("handle_chinese_chars", true) && spaceIdeographs,
    setting("strip_accents", lower) && stripAccents,
    lower && lowercase,
  ].filter((step) => step !== false);
  return (text) => steps.reduce((done, step) => step(done), text);
}
