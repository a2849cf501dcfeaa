import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { checkTokenizerClass } from "../../models/text/tokenizer_class.ts";

const check = (files: Record<string, unknown>) =>
  checkTokenizerClass(
    memoryFolder(
      "a",
      new Map(
        Object.entries(files).map((
          [name, json],
        ) => [name, new TextEncoder().encode(JSON.stringify(json))]),
      ),
    ),
  );

const refuses = (files: Record<string, unknown>, message: RegExp) =>
  assert.rejects(check(files), (error: unknown) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });

const configFile = "tokenizer_config.json";

Deno.test("of a vocab.txt the class tells whether it is BERT's", async () => {
  for (
    const name of ["BertTokenizer", "DistilBertTokenizerFast", "PreTrainedTokenizerFast", null]
  ) {
    await check({ [configFile]: { tokenizer_class: name } });
  }
  await check({});
  for (
    const name of ["BertJapaneseTokenizer", "CamembertTokenizer", "BertweetTokenizer", "Own", 3]
  ) {
    const message = new RegExp(`^a/${configFile}: "tokenizer_class" is ${JSON.stringify(name)}, `);
    await refuses({ [configFile]: { tokenizer_class: name } }, message);
    const config = new TextEncoder().encode(JSON.stringify({ tokenizer_class: name }));
    const files = new Map([[configFile, config], ["vocab.txt", new Uint8Array(0)]]);
    await assert.rejects(
      loadTokenizer(memoryFolder("a", files)),
      /a tokenizer that is not supported/,
    );
  }
});

Deno.test("config.json names the class where the tokenizer's config does not", async () => {
  const other = { tokenizer_class: "BertJapaneseTokenizer" };
  await refuses({ "config.json": other }, /^a\/config\.json: "tokenizer_class"/);
  await refuses({ [configFile]: {}, "config.json": other }, /^a\/config\.json/);
  await check({ [configFile]: { tokenizer_class: "BertTokenizer" }, "config.json": other });
});

Deno.test("what cuts words or pieces otherwise is refused without a class, too", async () => {
  await check({
    [configFile]: { word_tokenizer_type: "basic", subword_tokenizer_type: "wordpiece" },
  });
  await refuses(
    { [configFile]: { word_tokenizer_type: "mecab" } },
    /"word_tokenizer_type" is "mecab"/,
  );
  await refuses({ [configFile]: { subword_tokenizer_type: "character" } }, /is "character"/);
});

Deno.test("a tokenizer.json tells by its content, but for words cut by another program", async () => {
  const json = { "tokenizer.json": {} };
  for (const name of ["RobertaTokenizer", "DebertaTokenizerFast", "BertTokenizer"]) {
    await check({ ...json, [configFile]: { tokenizer_class: name } });
  }
  const japanese = { tokenizer_class: "BertJapaneseTokenizer" };
  await refuses({ ...json, [configFile]: japanese }, /BertJapaneseTokenizer/);
});
