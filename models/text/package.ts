/** What both kinds of tokenizer ask of `@huggingface/tokenizers` and of the files. */
import { Tokenizer } from "@huggingface/tokenizers";
import { messageOf, UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";

/** The parsed content of a tokenizer's files. */
export interface TokenizerContent {
  /** What messages call it: the path of `tokenizer.json` or `vocab.txt`. */
  source: string;
  /** The structure of a `tokenizer.json`. */
  json: Record<string, unknown>;
  /** `tokenizer_config.json` over `special_tokens_map.json`; empty where there are none. */
  config: Record<string, unknown>;
}

/** A tokenizer of one kind: what cuts texts, and the ids that come first and last. */
export interface TokenizerKind {
  tokenizer: Tokenizer;
  first: number;
  last: number;
}

/** Makes the package's tokenizer. Throws a `UserError` naming the file where it cannot be used. */
export function packageTokenizer({ source, json, config }: TokenizerContent): Tokenizer {
  try {
    // A library's type for the file would claim more than we checked; it takes plain objects.
    return new Tokenizer(json, config);
  } catch (cause) {
    throw new UserError(`Cannot use ${source}: ${messageOf(cause)}.`, { cause });
  }
}

/** A special token's text by its name in the config, such as `cls`; old configs hold it in an object. */
export function specialToken(
  config: Record<string, unknown>,
  name: string,
  fallback: string,
): string {
  const value = config[`${name}_token`];
  const content = isObject(value) ? value.content : value;
  return typeof content === "string" ? content : fallback;
}
