import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { golden, goldenFolder } from "../files/temporary.ts";

const folder = goldenFolder("tokenizers", "byte_bpe");
const reference: {
  max_length: number;
  cases: { text: string; ids: number[]; truncated: number[] }[];
} = JSON.parse(await Deno.readTextFile(golden("tokenizer_bpe.json")));
const json = JSON.parse(await folder.text("tokenizer.json"));

/** The golden tokenizer with some fields of its files changed. */
function changed(tokenizer: Record<string, unknown>, config?: Record<string, unknown>) {
  const files = new Map([
    ["tokenizer.json", new Blob([JSON.stringify({ ...json, ...tokenizer })])],
  ]);
  if (config) files.set("tokenizer_config.json", new Blob([JSON.stringify(config)]));
  return memoryFolder("a folder", files);
}

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

Deno.test("byte-level BPE gives the ids that Python's transformers does", async () => {
  const tokenizer = await loadTokenizer(folder, 400);
  assert.equal(tokenizer.vocabSize, 400);
  assert.deepEqual(tokenizer.files.map(({ name }) => name), [
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
  ]);
  assert(reference.cases.length >= 10);
  for (const { text, ids, truncated } of reference.cases) {
    assert.deepEqual(tokenizer.encode(text, 512), ids, JSON.stringify(text));
    assert.deepEqual(
      tokenizer.encode(text, reference.max_length),
      truncated,
      JSON.stringify(text),
    );
  }
});

Deno.test("what counts as a blank is Unicode's, not JavaScript's", async () => {
  const { encode } = await loadTokenizer(folder);
  // Python's tokenizers 0.22.1.
  assert.deepEqual(encode("  \u0085happy", 99), [0, 341, 130, 231, 75, 380, 83, 92, 2]);
  assert.deepEqual(
    encode("  \uFEFFhappy", 99),
    [0, 224, 224, 175, 123, 127, 75, 380, 83, 92, 2],
  );
});

Deno.test("an added token takes the blanks after it along", async () => {
  const added = { id: 400, content: "<r>", rstrip: true, normalized: false };
  const { encode } = await loadTokenizer(changed({ added_tokens: [...json.added_tokens, added] }));
  const blank = { id: 401, content: " b", normalized: false };
  const both = changed({ added_tokens: [...json.added_tokens, added, blank] });
  assert.deepEqual((await loadTokenizer(both)).encode("a<r> b", 99), [0, 68, 400, 401, 2]);
  // Python's tokenizers 0.23.3.
  assert.deepEqual(encode("a<r> \u3000\u0085 b", 99), [0, 68, 400, 69, 2]);
  assert.deepEqual(encode("a<r> \ufeff b", 99), [0, 68, 400, 175, 123, 127, 224, 69, 2]);
});

Deno.test("a text starts with a blank where tokenizer.json, or the config over it, says so", async () => {
  const spaced = { pre_tokenizer: { ...json.pre_tokenizer, add_prefix_space: true } };
  const happy = [0, 75, 380, 83, 92, 2];
  const blankHappy = [0, 301, 380, 83, 92, 2];
  const encode = async (tokenizer: Record<string, unknown>, config?: Record<string, unknown>) =>
    (await loadTokenizer(changed(tokenizer, config))).encode("happy", 99);
  assert.deepEqual(await encode({}), happy);
  assert.deepEqual(await encode(spaced), blankHappy);
  assert.deepEqual(await encode({}, { add_prefix_space: true }), blankHappy);
  assert.deepEqual(await encode(spaced, { add_prefix_space: false }), happy);
});

Deno.test("the first and the last token come from the post-processor, or the config", async () => {
  const frame = async (post_processor: unknown, config?: Record<string, unknown>) => {
    const { encode } = await loadTokenizer(changed({ post_processor }, config));
    return encode("", 9);
  };
  const [cls, sep] = [["<unk>", 3], ["<pad>", 1]];
  const template = {
    type: "TemplateProcessing",
    single: [
      { SpecialToken: { id: "<unk>", type_id: 0 } },
      { Sequence: { id: "A", type_id: 0 } },
      { SpecialToken: { id: "<pad>", type_id: 0 } },
    ],
    pair: [],
    special_tokens: {},
  };
  const level = { type: "ByteLevel", add_prefix_space: true, trim_offsets: false };
  assert.deepEqual(await frame(json.post_processor), [0, 2]);
  assert.deepEqual(await frame({ type: "RobertaProcessing", cls, sep }), [3, 1]);
  assert.deepEqual(await frame(template), [3, 1]);
  assert.deepEqual(await frame({ type: "Sequence", processors: [level, template] }), [3, 1]);
  assert.deepEqual(await frame(null), [0, 2]);
  assert.deepEqual(await frame(level, { cls_token: "<unk>", sep_token: { content: "<pad>" } }), [
    3,
    1,
  ]);
  await rejects(frame(null, { cls_token: "[CLS]" }), /tokenizer\.json has no token \[CLS\]/);
});

Deno.test("a BPE tokenizer that is not byte-level is refused", async () => {
  await rejects(
    loadTokenizer(changed({ pre_tokenizer: { type: "Metaspace" } })),
    /^a folder\/tokenizer\.json is a BPE tokenizer, but not a byte-level one.*"Metaspace"/,
  );
  await rejects(loadTokenizer(folder, 399), /token ids up to 399, but the model has 399/);
});
