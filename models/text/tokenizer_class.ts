/** Which classes of transformers a `vocab.txt` is read for: others cut texts otherwise, and take the same file. */
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { readJsonObject } from "../files/json.ts";

/** Those that cut texts as BertTokenizer does; each has a `Fast` twin. */
const asBert = [
  "BertTokenizer",
  "ConvBertTokenizer",
  "DistilBertTokenizer",
  "ElectraTokenizer",
  "LayoutLMTokenizer",
  "MobileBertTokenizer",
  "RetriBertTokenizer",
  "SqueezeBertTokenizer",
];

/** What transformers writes where a tokenizer.json says it all. */
const generic = ["PreTrainedTokenizerFast", "TokenizersBackend"];

/** Those that cut words by a program of their own, which no `tokenizer.json` holds. */
const ownWords = [
  "BertJapaneseTokenizer",
  "BertweetTokenizer",
  "HerbertTokenizer",
  "PhobertTokenizer",
];

/**
 * Throws a UserError where a model's configs name a tokenizer that is not computed here: of a `tokenizer.json` its
 * content tells, but of those that cut words by another program; a `vocab.txt` is read as BertTokenizer does.
 */
export async function checkTokenizerClass(folder: Folder): Promise<void> {
  const hasJson = await folder.has("tokenizer.json");
  for (const file of ["tokenizer_config.json", "config.json"]) {
    if (!(await folder.has(file))) continue;
    const { tokenizer_class: name, word_tokenizer_type: words, subword_tokenizer_type: pieces } =
      await readJsonObject(folder, file);
    const refuse = (field: string, value: unknown): never => {
      throw new UserError(
        `${folder.name}/${file}: "${field}" is ${JSON.stringify(value)}, a tokenizer that is not ` +
          `supported: it would cut texts into other tokens than the model knows. Supported are BERT's ` +
          `(BertTokenizer) and, with a tokenizer.json, RoBERTa's.`,
      );
    };
    if (name !== undefined && name !== null) {
      const slow = String(name).replace(/Fast$/, "");
      const known = hasJson
        ? !ownWords.includes(slow)
        : asBert.includes(slow) || generic.includes(String(name));
      if (!known) refuse("tokenizer_class", name);
    }
    if (hasJson) continue;
    if (words !== undefined && words !== "basic") refuse("word_tokenizer_type", words);
    if (pieces !== undefined && pieces !== "wordpiece") refuse("subword_tokenizer_type", pieces);
    if (name !== undefined && name !== null) return; // as in transformers, the first that names one counts
  }
}
