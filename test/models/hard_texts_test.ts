import assert from "node:assert/strict";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer, type Tokenizer } from "../../models/text/tokenizer.ts";
import { golden, goldenFolder } from "../files/temporary.ts";

interface Case {
  text: string;
  ids: number[];
}

const folderWith = (files: Record<string, unknown>) =>
  memoryFolder(
    "a folder",
    new Map(
      Object.entries(files).map(([name, content]) => [
        name,
        new Blob([typeof content === "string" ? content : JSON.stringify(content)]),
      ]),
    ),
  );

const hard: {
  bert: {
    letters: string;
    settings: Record<string, unknown>[];
    cases: (Case & { setting: number })[];
  };
  bpe: Case[];
} = JSON.parse(await Deno.readTextFile(golden("tokenizer_hard.json")));

/** Where a text's ids are not the reference's; the text as code points, as many show nothing. */
function differences({ encode }: Tokenizer, cases: readonly Case[], framed: boolean): string[] {
  return cases.flatMap(({ text, ids }) => {
    const ours = encode(text, 10_000);
    const found = framed ? ours : ours.slice(1, -1);
    if (JSON.stringify(found) === JSON.stringify(ids)) return [];
    const points = [...text].map((character) => character.codePointAt(0)!.toString(16));
    return [`${points.join(" ")}: ${found} instead of ${ids}`];
  });
}

Deno.test("BERT's normalizer, in all its settings, over all planes of Unicode", async () => {
  const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
  const letters = [...hard.bert.letters];
  const tokens = [...special, ...letters, ...letters.map((letter) => `##${letter}`)];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  assert(hard.bert.cases.length >= 300);
  for (const [index, settings] of hard.bert.settings.entries()) {
    const tokenizer = await loadTokenizer(folderWith({
      "tokenizer.json": {
        normalizer: { type: "BertNormalizer", ...settings },
        pre_tokenizer: { type: "BertPreTokenizer" },
        model: { type: "WordPiece", unk_token: "[UNK]", vocab },
      },
    }));
    const cases = hard.bert.cases.filter(({ setting }) => setting === index);
    assert(cases.length >= 10);
    assert.deepEqual(differences(tokenizer, cases, false), [], JSON.stringify(settings));
  }
});

Deno.test("byte-level BPE over all planes of Unicode", async () => {
  const tokenizer = await loadTokenizer(goldenFolder("tokenizers", "byte_bpe"));
  assert(hard.bpe.length >= 50);
  assert.deepEqual(differences(tokenizer, hard.bpe, false), []);
});

Deno.test("added and special tokens are those that transformers finds in a folder's files", async () => {
  const { vocabulary, texts, folders }: {
    vocabulary: string[];
    texts: string[];
    folders: { files: Record<string, unknown>; ids: number[][] }[];
  } = JSON.parse(await Deno.readTextFile(golden("added_tokens.json")));
  for (const { files, ids } of folders) {
    const folder = folderWith({ ...files, "vocab.txt": vocabulary.join("\n") + "\n" });
    const tokenizer = await loadTokenizer(folder, 60);
    const cases = texts.map((text, index) => ({ text, ids: ids[index] }));
    assert.deepEqual(differences(tokenizer, cases, true), [], JSON.stringify(files));
  }
});
