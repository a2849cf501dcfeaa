/**
 * Byte-level BPE, the tokenizer of GPT-2 and RoBERTa (Liu et al. 2019,
 * https://arxiv.org/abs/1907.11692): pairs of a text's bytes, each shown as a letter, are merged.
 */
import { ByteLevelPreTokenizer } from "@huggingface/tokenizers";
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import {
  packageTokenizer,
  specialToken,
  type TokenizerContent,
  type TokenizerKind,
} from "./package.ts";

/**
 * GPT-2's way of cutting a text into words. JavaScript's \s holds U+FEFF and lacks U+0085, other than
 * that of Python's tokenizers, where the property tells what a blank is.
 */
const words =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/**
 * Makes a byte-level BPE tokenizer. Blanks before a text are as its file says, or as
 * `tokenizer_config.json` does. Throws a `UserError` where it is a BPE of another kind, or lacks the
 * tokens that come first and last.
 */
export function byteLevelBpe(content: TokenizerContent): TokenizerKind {
  const { source, json, config } = content;
  const { pre_tokenizer: cutter } = json;
  if (!isObject(cutter) || cutter.type !== "ByteLevel") {
    throw new UserError(
      `${source} is a BPE tokenizer, but not a byte-level one as RoBERTa has: its pre_tokenizer is ` +
        `${JSON.stringify(isObject(cutter) ? cutter.type : cutter)}.`,
    );
  }
  // transformers lets the config decide, as of casing for BERT.
  const { add_prefix_space: prefix } = config;
  if (typeof prefix === "boolean") cutter.add_prefix_space = prefix;
  const tokenizer = packageTokenizer(content);
  if (tokenizer.pre_tokenizer instanceof ByteLevelPreTokenizer) {
    tokenizer.pre_tokenizer.pattern = words;
  }
  const idOf = (token: string): number => {
    const id = tokenizer.token_to_id(token);
    if (id === undefined) {
      throw new UserError(
        `${source} has no token ${token}. RoBERTa needs <s> and </s>; tokenizer_config.json may name ` +
          `others as cls_token and sep_token.`,
      );
    }
    return id;
  };
  const [first, last] = frameOf(json.post_processor);
  return {
    tokenizer,
    first: idOf(first ?? specialToken(config, "cls", "<s>")),
    last: idOf(last ?? specialToken(config, "sep", "</s>")),
  };
}

/** The tokens that a post-processor puts before and after a text, where it does. */
function frameOf(processor: unknown): [first?: string, last?: string] {
  if (!isObject(processor)) return [];
  const { cls, sep, single, processors } = processor;
  if (Array.isArray(processors)) {
    return processors.map(frameOf).find(([first]) => first !== undefined) ?? [];
  }
  if (Array.isArray(cls) && Array.isArray(sep)) return [textOf(cls[0]), textOf(sep[0])];
  if (!Array.isArray(single)) return [];
  const tokens = single.map((piece: unknown) => {
    const special = isObject(piece) ? piece.SpecialToken : undefined;
    return isObject(special) ? textOf(special.id) : undefined;
  });
  return [tokens[0], tokens.at(-1)];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
