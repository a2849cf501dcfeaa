import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const words = [
  "un",
  "##want",
  "##ed",
  "want",
  ",",
  "running",
  "U",
  "é",
  "e",
  "中",
  "@@x",
  "ab",
  "a",
];
const lines = [...special, ...words];
const [unk, cls, sep] = [1, 2, 3];
const id = (token: string) => lines.indexOf(token);

const loaded = (files: Record<string, unknown>, embeddings?: number) =>
  loadTokenizer(
    memoryFolder(
      "m",
      new Map(
        Object.entries(files).map(([name, content]) => [
          name,
          new Blob([typeof content === "string" ? content : JSON.stringify(content)]),
        ]),
      ),
    ),
    embeddings,
  );

const vocab = Object.fromEntries(lines.map((token, id) => [token, id]));

/** A tokenizer.json, with some fields of its own or of its model's. */
const json = (fields: Record<string, unknown> = {}, model: Record<string, unknown> = {}) => ({
  normalizer: { type: "BertNormalizer" },
  pre_tokenizer: { type: "BertPreTokenizer" },
  model: { type: "WordPiece", unk_token: "[UNK]", vocab, ...model },
  ...fields,
});

async function refused(
  file: Record<string, unknown>,
  message: RegExp,
  embeddings?: number,
): Promise<void> {
  await assert.rejects(loaded({ "tokenizer.json": file }, embeddings), (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

Deno.test("ids that are none are refused with their token", async () => {
  for (const wrong of [-1, 1.5, "7", null, 2 ** 32]) {
    const model = { vocab: { ...vocab, odd: wrong } };
    await refused(
      json({}, model),
      /^m\/tokenizer\.json gives the token "odd" the id .* from 0 on\.$/,
    );
    const added_tokens = [{ id: wrong, content: "odd" }];
    await refused(json({ added_tokens }), /the added token "odd" has the id .* from 0 on\.$/);
  }
  await refused(json({}, { unk_token: "[unk]" }), /has no token \[unk\], which stands for words/);
  await refused(
    json({ added_tokens: ["<user>"] }),
    /an entry of added_tokens that is no token: <user>/,
  );
});

Deno.test("ids may have gaps, be huge or stand twice, and cost no room; no model has too high ones", async () => {
  const model = { vocab: { ...vocab, un: 1_000_000_000, want: 7, é: 7 } };
  const { vocabSize, encode } = await loaded({ "tokenizer.json": json({}, model) });
  assert.equal(vocabSize, 1_000_000_001);
  assert.deepEqual(encode("un want", 9), [cls, 1_000_000_000, 7, sep]);
  await refused(json({}, model), /ids up to 1000000000, but the model has 30522 word/, 30522);
  const added_tokens = [{ id: lines.length, content: "<user>" }];
  await refused(json({ added_tokens }), /the added token "<user>" has the id 18, .* 18 word/, 18);
});

Deno.test("vocab.txt: a mark at its start, blanks at lines' ends, empty and repeated lines", async () => {
  const expected = [cls, id("un"), id("want"), sep];
  const bodies = [
    "\ufeff" + lines.join("\n"),
    lines.join("\r\n") + "\r\n",
    lines.join(" \t\n") + "\n\n\n\n",
    lines.join("\n").replace("[UNK]", "un").replace("[MASK]", "[UNK]"),
  ];
  for (const [index, body] of bodies.entries()) {
    const { encode, vocabSize } = await loaded({ "vocab.txt": body }, lines.length);
    assert.deepEqual(encode("un want", 9), expected);
    assert.deepEqual(encode("q", 9), [cls, index === 3 ? id("[MASK]") : unk, sep]);
    assert.equal(vocabSize, lines.length);
  }
  // An empty line takes an id, as its number is the next token's.
  const { encode } = await loaded({ "vocab.txt": lines.join("\n").replace("\nun\n", "\n\nun\n") });
  assert.deepEqual(encode("un", 9), [cls, id("un") + 1, sep]);
});

Deno.test("a vocabulary that is shorter than the model's is told, but not one that was filled up", async () => {
  const notices = async (embeddings: number) =>
    (await loaded({ "vocab.txt": lines.join("\n") }, embeddings)).notices;
  assert.match(
    (await notices(30522)).join(),
    /^m\/vocab\.txt has 18 tokens and the model 30522 word/,
  );
  assert.match((await notices(19)).join(), /is the file whole\?/);
  for (const embeddings of [18, 24, 128]) assert.deepEqual(await notices(embeddings), []);
  const added = { "vocab.txt": lines.join("\n"), "added_tokens.json": { "<user>": 30 } };
  assert.match((await loaded(added)).notices.join(), /"<user>" has the id 18, .* not 30/);
});

Deno.test("WordPiece's settings: the prefix of pieces, and how long a word may be", async () => {
  // Python's tokenizers 0.23.3.
  const encode = async (text: string, model: Record<string, unknown>) => {
    const file = json({ normalizer: null, pre_tokenizer: { type: "WhitespaceSplit" } }, model);
    return (await loaded({ "tokenizer.json": file })).encode(text, 99).slice(1, -1);
  };
  const short = { continuing_subword_prefix: "@@", max_input_chars_per_word: 3 };
  const [a, x] = [id("a"), id("@@x")];
  assert.deepEqual(await encode("ax axx axxx eab", short), [a, x, a, x, x, unk, unk]);
  const none = { continuing_subword_prefix: "" };
  assert.deepEqual(await encode("unwant wantun abé", none), [
    ...["un", "want", "want", "un", "ab", "é"].map(id),
  ]);
  for (
    const [name, value] of [["continuing_subword_prefix", 1], ["max_input_chars_per_word", -1]]
  ) {
    await refused(json({}, { [name]: value }), new RegExp(`${name} is ${value}, not a`));
  }
});

Deno.test("the pipeline of the tokenizers' own tutorial is computed; lengths are the program's", async () => {
  const file = json({
    truncation: { max_length: 3, strategy: "LongestFirst", stride: 0, direction: "Right" },
    padding: { strategy: { Fixed: 9 }, pad_id: 0, pad_type_id: 0, pad_token: "[PAD]" },
    normalizer: {
      type: "Sequence",
      normalizers: [{ type: "NFD" }, { type: "Lowercase" }, { type: "StripAccents" }],
    },
    pre_tokenizer: { type: "Sequence", pretokenizers: [{ type: "Whitespace" }] },
  });
  const { encode } = await loaded({ "tokenizer.json": file });
  // Python's tokenizers 0.23.3: Whitespace keeps two commas together.
  const [e, un, wanted, ed] = ["e", "un", "##want", "##ed"].map(id);
  const tokens = [e, un, wanted, ed, unk, id("want"), id(","), id("中")];
  assert.deepEqual(encode("É UNwanted,,want, 中", 99), [cls, ...tokens, sep]);
});

Deno.test("parts that are not computed are refused by name", async () => {
  const merged = {
    type: "BPE",
    vocab: { "<s>": 0, "</s>": 1, a: 2, b: 3, ab: 4 },
    merges: ["a b"],
  };
  const bpe = (fields: Record<string, unknown>) =>
    json({ normalizer: null, pre_tokenizer: { type: "ByteLevel" } }, {
      unk_token: null,
      ...merged,
      ...fields,
    });
  await loaded({ "tokenizer.json": bpe({}) });
  const cases: [Record<string, unknown>, RegExp][] = [
    [
      json({ normalizer: { type: "Replace" } }),
      /the normalizer "Replace", .* BertNormalizer, Lower/,
    ],
    [json({ normalizer: {} }), /the normalizer of no type/],
    [json({ normalizer: { type: "BertNormalizer", lowercase: 1 } }), /lowercase is 1, not true or/],
    [
      json({ normalizer: { type: "Sequence", normalizers: [{ type: "Precompiled" }] } }),
      /the normalizer "Precompiled"/,
    ],
    [
      json({ pre_tokenizer: { type: "Metaspace" } }),
      /pre_tokenizer "Metaspace".* BertPreTokenizer/,
    ],
    [json({ post_processor: { type: "Odd" } }), /the post_processor "Odd"/],
    [
      json({ post_processor: { type: "TemplateProcessing", single: [{ Sequence: { id: "A" } }] } }),
      /TemplateProcessing that does not put one token before/,
    ],
    [bpe({ dropout: 0.1 }), /BPE tokenizer with dropout 0\.1/],
    [bpe({ byte_fallback: true }), /BPE tokenizer with byte_fallback true/],
    [bpe({ end_of_word_suffix: "</w>" }), /BPE tokenizer with end_of_word_suffix "<\/w>"/],
    [bpe({ merges: ["a c"] }), /the merge "a c" is not of two tokens/],
    [bpe({ unk_token: "<unk>" }), /has no token <unk>, its unk_token/],
    [json({}, { vocab: [] }), /a tokenizer of the type WordPiece, without a vocab/],
  ];
  for (const [file, message] of cases) await refused(file, message);
});

Deno.test("letters that a BPE has no token for are left out before merging, or unknown", async () => {
  const encode = async (model: Record<string, unknown>) => {
    const file = json({ normalizer: null, pre_tokenizer: { type: "ByteLevel" } }, {
      type: "BPE",
      vocab: { "<s>": 0, "</s>": 1, a: 2, b: 3, ab: 4, "<unk>": 5 },
      merges: [["a", "b"]],
      ...model,
    });
    return (await loaded({ "tokenizer.json": file })).encode("axxb", 99).slice(1, -1);
  };
  // Python's tokenizers 0.23.3.
  assert.deepEqual(await encode({ unk_token: null }), [4]);
  assert.deepEqual(await encode({ unk_token: "<unk>" }), [2, 5, 5, 3]);
  assert.deepEqual(await encode({ unk_token: "<unk>", fuse_unk: true }), [2, 5, 3]);
});

Deno.test("characters beyond the BMP are one each, and halves of them none", async () => {
  const pieces = { "𠀀": 18, "##𠀀": 19, "\ud840": 20, "##\udc01": 21 };
  const model = { vocab: { ...vocab, ...pieces }, max_input_chars_per_word: 3 };
  const file = json({ normalizer: null }, model);
  const { encode } = await loaded({ "tokenizer.json": file });
  assert.deepEqual(encode("𠀀𠀀𠀀", 9), [cls, 18, 19, 19, sep]);
  assert.deepEqual(encode("𠀀𠀀𠀀𠀀 𠀁", 9), [cls, unk, unk, sep]);
  assert.deepEqual(encode("\ud840", 9), [cls, unk, sep]);
  // Cleaning takes out U+FFFD, as which half a character is read.
  const cleaned = await loaded({ "tokenizer.json": json() });
  assert.deepEqual(cleaned.encode("u\ud840n", 9), [cls, id("un"), sep]);
});

Deno.test("what is no tokenizer's file, or was not downloaded, is said", async () => {
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 231508\n";
  for (const name of ["vocab.txt", "tokenizer.json"]) {
    await assert.rejects(loaded({ [name]: pointer }), /is a git-LFS pointer, .* of 231508 bytes/);
    await assert.rejects(loaded({ [name]: "<!DOCTYPE html>" }), /is a web page, although its name/);
  }
});

Deno.test("special tokens of the map are special where added_tokens.json lists them too", async () => {
  // transformers 4.57; 5 no longer takes the map's list into account, and finds <USER> too.
  const { encode } = await loaded({
    "vocab.txt": lines.join("\n"),
    "added_tokens.json": { "<user>": 18 },
    "special_tokens_map.json": { additional_special_tokens: ["<user>"] },
  });
  assert.deepEqual(encode("un<user>un", 9), [cls, id("un"), 18, id("un"), sep]);
  assert.deepEqual(encode("<USER>", 9), [cls, unk, unk, unk, sep]);
});
