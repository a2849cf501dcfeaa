import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { hostFolder } from "../../models/host/files.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { golden, goldenFolder } from "../files/temporary.ts";

const mini = hostFolder(fileURLToPath(new URL("../../assets/mini", import.meta.url)));

const folderWith = (files: Record<string, string>) =>
  memoryFolder(
    "a folder",
    new Map(Object.entries(files).map(([name, text]) => [name, new TextEncoder().encode(text)])),
  );

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
const words = ["un", "##want", "##ed", "want", ",", "running", "U", "é", "e", "中"];
const vocabulary = [...special, ...words].join("\n") + "\n";
const [unk, cls, sep] = [1, 2, 3];
const id = (token: string) => special.length + words.indexOf(token);

Deno.test("the built-in vocabulary encodes like the reference tokenizer", async () => {
  const tokenizer = await loadTokenizer(mini, 6000);
  assert.equal(tokenizer.vocabSize, 6000);
  assert.deepEqual(tokenizer.files.map(({ name }) => name), [
    "vocab.txt",
    "tokenizer_config.json",
  ]);
  // Python's tokenizers 0.23.3, BertWordPieceTokenizer(vocab.txt, lowercase=True).
  const expected: Record<string, number[]> = {
    "What a WONDERFUL day!!": [2, 364, 43, 1718, 377, 5, 5, 3],
    "I can't believe it's you, Zoë.": [
      2,
      51,
      338,
      11,
      62,
      988,
      264,
      11,
      61,
      259,
      16,
      68,
      3693,
      18,
      3,
    ],
    "unputdownable  \t1984: naïve 中文 ☺": [
      2,
      4320,
      276,
      3911,
      769,
      2109,
      162,
      158,
      30,
      2115,
      499,
      1,
      1,
      89,
      3,
    ],
  };
  for (const [text, ids] of Object.entries(expected)) {
    assert.deepEqual(tokenizer.encode(text, 512), ids, text);
  }
});

Deno.test("WordPiece gives the ids that Python's transformers does", async () => {
  const { encode } = await loadTokenizer(goldenFolder("model"), 64);
  const { max_length: maxLength, cases }: {
    max_length: number;
    cases: { text: string; ids: number[]; truncated: number[] }[];
  } = JSON.parse(await Deno.readTextFile(golden("tokenizer.json")));
  assert(cases.length >= 10);
  for (const { text, ids, truncated } of cases) {
    assert.deepEqual(encode(text, 512), ids, JSON.stringify(text));
    assert.deepEqual(encode(text, maxLength), truncated, JSON.stringify(text));
  }
});

Deno.test("vocab.txt: word pieces, accents, case, unknown words, CRLF", async () => {
  for (const text of [vocabulary, vocabulary.replaceAll("\n", "\r\n"), vocabulary.trimEnd()]) {
    const { encode, vocabSize } = await loadTokenizer(folderWith({ "vocab.txt": text }));
    assert.equal(vocabSize, special.length + words.length);
    assert.deepEqual(
      encode("UNwantéd,running xyz中", 512),
      [cls, id("un"), id("##want"), id("##ed"), id(","), id("running"), unk, id("中"), sep],
    );
    assert.deepEqual(encode("", 512), [cls, sep]);
    assert.deepEqual(encode("a [SEP] b", 512), [cls, unk, sep, unk, sep]);
  }
});

Deno.test("tokenizer_config.json decides on case and names the special tokens", async () => {
  const cased = { "vocab.txt": vocabulary, "tokenizer_config.json": '{"do_lower_case": false}' };
  const { encode } = await loadTokenizer(folderWith(cased));
  assert.deepEqual(encode("U é un", 9), [cls, id("U"), id("é"), id("un"), sep]);
  const renamed = {
    "vocab.txt": vocabulary.replace("[CLS]", "<s>"),
    "tokenizer_config.json": '{"cls_token": {"content": "<s>"}, "strip_accents": false}',
  };
  assert.deepEqual((await loadTokenizer(folderWith(renamed))).encode("É", 9), [cls, id("é"), sep]);
});

Deno.test("truncation keeps [CLS] and [SEP]", async () => {
  const { encode } = await loadTokenizer(mini);
  const long = encode("what a day", 512);
  for (let length = 2; length < long.length; length++) {
    assert.deepEqual(encode("what a day", length), [...long.slice(0, length - 1), sep]);
  }
  assert.deepEqual(encode("what a day", long.length), long);
});

Deno.test("tokenizer.json goes before vocab.txt and means the same", async () => {
  const vocab = Object.fromEntries([...special, ...words].map((token, id) => [token, id]));
  const json = {
    added_tokens: [],
    normalizer: { type: "BertNormalizer", clean_text: true, lowercase: true },
    pre_tokenizer: { type: "BertPreTokenizer" },
    post_processor: null,
    decoder: null,
    model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", vocab },
  };
  const files = { "tokenizer.json": JSON.stringify(json), "vocab.txt": "nothing" };
  const { encode } = await loadTokenizer(folderWith(files));
  assert.deepEqual(encode("UNwanted", 9), [cls, id("un"), id("##want"), id("##ed"), sep]);
  const cased = { ...files, "tokenizer_config.json": '{"do_lower_case": false}' };
  assert.deepEqual((await loadTokenizer(folderWith(cased))).encode("UNwanted U", 9), [
    cls,
    unk,
    id("U"),
    sep,
  ]);
});

Deno.test("missing and odd files are errors that say which", async () => {
  const refused = (files: Record<string, string>, message: RegExp, embeddings?: number) =>
    rejects(loadTokenizer(folderWith(files), embeddings), message);
  await refused({}, /^a folder has neither tokenizer\.json nor vocab\.txt/);
  for (const token of ["[CLS]", "[SEP]", "[UNK]"]) {
    await refused(
      { "vocab.txt": vocabulary.replace(token, "[odd]") },
      new RegExp(`^a folder/vocab\\.txt has no token \\${token}`),
    );
  }
  await refused(
    { "vocab.txt": vocabulary },
    /token ids up to 14, but the model has 10/,
    10,
  );
  await refused({ "tokenizer.json": "{" }, /tokenizer\.json is not JSON/);
  await refused({ "tokenizer.json": "[]" }, /tokenizer\.json is not a JSON object/);
  await refused(
    { "tokenizer.json": JSON.stringify({ model: { type: "Unigram", vocab: [] } }) },
    /tokenizer\.json is a tokenizer of the type "Unigram"; only WordPiece, as BERT has, and byte-/,
  );
  await refused(
    { "vocab.json": "{}", "merges.txt": "" },
    /^a folder has vocab\.json and merges\.txt, but no tokenizer\.json.*AutoTokenizer.*save_pretr/,
  );
});
