/**
 * Tokens beside a vocabulary, and where each of them is told: `tokenizer.json`, `added_tokens.json`,
 * `tokenizer_config.json` and `special_tokens_map.json`. As transformers' fast tokenizers, 4.57 and 5, have it.
 */
import { UserError } from "../errors.ts";
import { isObject } from "../files/json.ts";
import { isId, shownToken, type TokenizerContent, type TokenizerKind } from "./kind.ts";

/** A token that is found in the text before it is cut into words. */
export interface AddedToken {
  id: number;
  content: string;
  /** Only where no letter or digit stands beside it. */
  singleWord: boolean;
  /** Takes the blanks before it along, or those after it. */
  lstrip: boolean;
  rstrip: boolean;
  /** Looked for in the normalised text, and normalised itself. */
  normalized: boolean;
  special: boolean;
}

/** A token of the files that has no id of Python's yet; `told` is the id by the file. */
type Told = Omit<AddedToken, "id"> & { told?: number };

/**
 * The added tokens, with ids as Python's tokenizers gives them: a token of the vocabulary keeps its
 * own, others count on from there, whatever id the file tells. `notices` say where that differs. Of
 * the named special tokens only those that the vocabulary has are looked for.
 * Throws a `UserError` naming the token whose entry makes no sense.
 */
export function addedTokens(
  content: TokenizerContent,
  { vocabulary, special }: Pick<TokenizerKind, "vocabulary" | "special">,
): { tokens: AddedToken[]; notices: string[] } {
  const tokens = new Map<string, AddedToken>();
  const notices: string[] = [];
  const absent = new Set<string>();
  let next = vocabulary.size;
  const add = ({ told, ...token }: Told): void => {
    if (token.content === "") return;
    const known = tokens.get(token.content)?.id ?? vocabulary.get(token.content);
    const id = known ?? next;
    if (known === undefined) next++;
    tokens.set(token.content, { id, ...token });
    if (told !== undefined && told !== id) {
      notices.push(
        `${content.source}: the token ${JSON.stringify(token.content)} has the id ${id}, as in ` +
          `Python's tokenizers, and not ${told}, as its entry says.`,
      );
    }
  };
  toldTokens(content, Object.values(special)).forEach(add);
  for (const [name, token] of Object.entries(special)) {
    if (tokens.has(token)) continue;
    // Python would look for it too, and give an id that the model has no embedding for.
    if (!vocabulary.has(token)) absent.add(token);
    add(
      entryOf({ content: token, lstrip: name === "mask" && token === "<mask>" }, true, "", content),
    );
  }
  for (const token of extraTokens(content)) if (!tokens.has(token.content)) add(token);
  return { tokens: [...tokens.values()].filter((token) => !absent.has(token.content)), notices };
}

/** Those with entries of their own, in the order in which they get ids. */
function toldTokens(content: TokenizerContent, special: readonly string[]): Told[] {
  const { json, config, added, source } = content;
  const own: unknown[] = Array.isArray(json.added_tokens) ? json.added_tokens : [];
  const tokens = own.map((entry) => entryOf(entry, false, "added_tokens", content));
  const later: Told[] = [];
  if (isObject(config.added_tokens_decoder)) {
    for (const [id, entry] of Object.entries(config.added_tokens_decoder)) {
      later.push({
        ...entryOf(entry, false, "added_tokens_decoder", content),
        told: idIn(Number(id), id),
      });
    }
  } else {
    const extra = new Set([...special, ...extraTokens(content).map(({ content }) => content)]);
    for (const [token, id] of Object.entries(added)) {
      const entry = entryOf({ content: token }, extra.has(token), "added_tokens.json", content);
      later.push({ ...entry, told: idIn(id, token) });
    }
  }
  return [...tokens, ...later.sort((a, b) => a.told! - b.told!)];

  function idIn(id: unknown, name: string): number {
    if (isId(id)) return id;
    throw new UserError(
      `${source}: the added token ${JSON.stringify(name)} has the id ${
        JSON.stringify(id)
      }, which ` +
        `is not a whole number from 0 on.`,
    );
  }
}

/** Special tokens that a config lists beside the named ones, or by names of its own. */
function extraTokens(content: TokenizerContent): Told[] {
  const { config } = content;
  const named = Object.keys(config).filter((key) =>
    key.endsWith("_token") && !attributes.has(key) && typeof config[key] === "string"
  );
  const lists = ["additional_special_tokens", "extra_special_tokens"].flatMap((key) => {
    const value = config[key];
    return isObject(value) ? Object.values(value) : Array.isArray(value) ? value : [];
  });
  return [...named.map((key) => config[key]), ...lists].map((token) =>
    entryOf(
      isObject(token) ? token : { content: token },
      true,
      "additional_special_tokens",
      content,
    )
  );
}

const attributes = new Set(
  ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map((name) => `${name}_token`),
);

function entryOf(
  entry: unknown,
  isSpecial: boolean,
  where: string,
  { source }: TokenizerContent,
): Told {
  if (!isObject(entry) || typeof entry.content !== "string") {
    throw new UserError(
      `${source}, or a file beside it, has an entry of ${where} that is no token: ` +
        `${shownToken(entry)}.`,
    );
  }
  const special = isSpecial || entry.special === true;
  const { content, single_word, lstrip, rstrip, normalized, id } = entry;
  if (id !== undefined && !isId(id)) {
    throw new UserError(
      `${source}: the added token ${JSON.stringify(content)} has the id ${JSON.stringify(id)}, ` +
        `which is not a whole number from 0 on.`,
    );
  }
  return {
    content,
    singleWord: single_word === true,
    lstrip: lstrip === true,
    rstrip: rstrip === true,
    normalized: typeof normalized === "boolean" ? normalized : !special,
    special,
    told: id,
  };
}
