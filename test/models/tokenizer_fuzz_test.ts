import assert from "node:assert/strict";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { goldenFolder } from "../files/temporary.ts";

/** How many mutations each property tries; FUZZ=20000 for a long search. */
const numRuns = Number(Deno.env.get("FUZZ") ?? 100);

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const pieces = ["a", "b", "##a", "##b", "é", "中", "<", ">", "user", "𠀀"];
const wordPiece = {
  version: "1.0",
  truncation: { max_length: 3, strategy: "LongestFirst", stride: 0, direction: "Right" },
  padding: null,
  added_tokens: [...special, "<user>"].map((content, index) => ({
    id: content === "<user>" ? special.length + pieces.length : index,
    content,
    single_word: false,
    lstrip: false,
    rstrip: false,
    normalized: false,
    special: content !== "<user>",
  })),
  normalizer: {
    type: "Sequence",
    normalizers: [{ type: "NFC" }, {
      type: "BertNormalizer",
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase: true,
    }],
  },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, {
      SpecialToken: { id: "[SEP]", type_id: 0 },
    }],
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: {
    type: "WordPiece",
    unk_token: "[UNK]",
    continuing_subword_prefix: "##",
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries([...special, ...pieces].map((token, id) => [token, id])),
  },
};
const config = {
  do_lower_case: true,
  cls_token: "[CLS]",
  sep_token: { content: "[SEP]", lstrip: false },
  additional_special_tokens: ["<user>"],
  added_tokens_decoder: { "15": { content: "<user>", lstrip: true, special: false } },
};
const byteBpe = JSON.parse(
  await goldenFolder("tokenizers", "byte_bpe").text("tokenizer.json"),
);

type Path = (string | number)[];

/** Where a value of a JSON can be changed: few of a long list or vocabulary, which are alike. */
function places(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const some = keys.length > 20 ? [...keys.slice(0, 3), ...keys.slice(-2)] : keys;
  const inner = some.flatMap((key) =>
    places((value as Record<string, unknown>)[key], [...path, key])
  );
  return path.length === 0 ? inner : [path, ...inner];
}

function changed(value: unknown, path: Path, change: Change): unknown {
  const copy = structuredClone(value);
  let holder = copy as Record<string, unknown>;
  for (const key of path.slice(0, -1)) {
    holder = holder[key] as Record<string, unknown>;
    // A change before this one has taken the place away.
    if (typeof holder !== "object" || holder === null) return copy;
  }
  const key = path.at(-1)!;
  if (change.kind === "delete") delete holder[key];
  else {
    const [name, value] = change.kind === "set" ? [key, change.value] : [change.name, holder[key]];
    if (change.kind === "rename") delete holder[key];
    // As JSON.parse does, also of a name such as __proto__.
    Object.defineProperty(holder, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}

type Change = { kind: "delete" } | { kind: "set"; value: unknown } | {
  kind: "rename";
  name: string;
};

const values = fc.oneof(
  fc.constantFrom<unknown>(
    ...[-1, 0, 1, 1.5, 2, 15, 16, 1e9, 2 ** 32, 1e300, true, false, null, "", " ", "a", "<user>"],
    ...[
      "\ud800",
      "__proto__",
      "NFKC",
      "Metaspace",
      "ByteLevel",
      "Replace",
      "BPE",
      "Unigram",
      "Sequence",
    ],
    ...["BertPreTokenizer", "Whitespace", "constructor", "[UNK]", "##", "\u0301", [], {}],
  ),
  fc.jsonValue({ maxDepth: 2 }),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  fc.constant<Change>({ kind: "delete" }),
  fc.record({ kind: fc.constant("set" as const), value: values }),
  fc.record({
    kind: fc.constant("rename" as const),
    name: fc.constantFrom("", "a", "__proto__", "x", "𠀀", "[UNK]", "type"),
  }),
);
const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({
    unit: fc.constantFrom(
      "a",
      "B",
      "é",
      "\u0301",
      "中",
      "𠀀",
      " ",
      "<user>",
      "[SEP]",
      "<mask>",
      "\ud800",
      "Σ",
    ),
    maxLength: 20,
  }),
);

const mutationsOf = (json: unknown) =>
  fc.array(fc.tuple(fc.constantFrom(...places(json)), change), { maxLength: 3 })
    .map((mutations) => mutations.reduce((now, [path, how]) => changed(now, path, how), json));

/** Loads and encodes: a UserError, or ids that are whole numbers in [0, vocabSize). */
async function check(files: Record<string, string>, texts: string[], embeddings?: number) {
  const folder = memoryFolder(
    "a folder",
    new Map(Object.entries(files).map(([name, content]) => [name, new Blob([content])])),
  );
  let tokenizer;
  try {
    tokenizer = await loadTokenizer(folder, embeddings);
  } catch (error) {
    assert(error instanceof UserError, error as Error);
    assert.match(error.message, /^a folder/);
    assert.doesNotMatch(error.message, /undefined|\[object|\n/);
    return;
  }
  const { encode, vocabSize } = tokenizer;
  assert(Number.isInteger(vocabSize) && vocabSize <= (embeddings ?? Infinity));
  for (const text of texts) {
    const ids = encode(text, 12);
    assert(ids.length >= 2 && ids.length <= 12);
    for (const id of ids) assert(Number.isInteger(id) && id >= 0 && id < vocabSize, `${id}`);
    assert.deepEqual(encode(text, 12), ids);
  }
}

const texts = fc.array(text, { minLength: 1, maxLength: 4 });
const embeddings = fc.constantFrom(undefined, 16, 400, 1_000_000);

Deno.test("a tokenizer.json with faults is refused in a sentence, or gives ids that are ids", async () => {
  const folder = fc.tuple(
    fc.oneof(mutationsOf(wordPiece), mutationsOf(byteBpe)),
    fc.option(mutationsOf(config), { nil: undefined }),
  );
  await fc.assert(
    fc.asyncProperty(folder, texts, embeddings, async ([json, own], texts, embeddings) => {
      const files: Record<string, string> = { "tokenizer.json": JSON.stringify(json) };
      if (own !== undefined) files["tokenizer_config.json"] = JSON.stringify(own);
      await check(files, texts, embeddings);
    }),
    { numRuns },
  );
});

Deno.test("so is a vocab.txt with what stands beside it", async () => {
  const line = fc.oneof(
    fc.constantFrom(...special, ...pieces, "", " ", "a ", "\ufeff[PAD]", "__proto__", "##"),
    fc.string({ maxLength: 4 }),
  );
  const vocabulary = fc.tuple(
    fc.array(line, { maxLength: 5 }),
    fc.shuffledSubarray([...special, ...pieces], { minLength: 12 }),
    fc.array(line, { maxLength: 5 }),
    fc.constantFrom("\n", "\r\n", "\n\n", "\r"),
  ).map(([before, most, after, end]) => [...before, ...most, ...after].join(end));
  const json = (value: fc.Arbitrary<unknown>) =>
    fc.option(fc.oneof(value.map((json) => JSON.stringify(json)), fc.string({ maxLength: 5 })), {
      nil: undefined,
      freq: 3,
    });
  const map = {
    cls_token: "[CLS]",
    unk_token: { content: "[UNK]" },
    additional_special_tokens: ["<user>"],
  };
  const beside = fc.record({
    "tokenizer_config.json": json(mutationsOf(config)),
    "special_tokens_map.json": json(mutationsOf(map)),
    "added_tokens.json": json(mutationsOf({ "<user>": 15, "a b": 16 })),
  });
  await fc.assert(
    fc.asyncProperty(
      vocabulary,
      beside,
      texts,
      embeddings,
      async (lines, beside, texts, embeddings) => {
        const there = Object.entries(beside).filter(([, content]) => content !== undefined);
        await check({ "vocab.txt": lines, ...Object.fromEntries(there) }, texts, embeddings);
      },
    ),
    { numRuns },
  );
});
