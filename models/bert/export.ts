/**
 * A fully fine-tuned (or merged) model as transformers writes and reads it: `config.json`,
 * `model.safetensors`, the tokenizer's files.
 */
import { UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { isObject, readJsonObject, toJson } from "../files/json.ts";
import {
  exactTensors,
  type ExportRequest,
  labelsFromIds,
  type LoadedRun,
  type NamedTensors,
  type RunFile,
} from "../peft/run_files.ts";
import type { BertConfig } from "./config.ts";
import { bertParameters } from "./parameters.ts";
import { openWeights } from "./weights.ts";

/** The files of a full model. Fields that the base model's config.json has are kept. */
export async function fullModelFiles(
  { baseModel, config, labels, tokenizerFiles, weights }: ExportRequest,
): Promise<RunFile[]> {
  const base = baseModel.folder === undefined ? {} : await baseConfig(baseModel.folder);
  const fields = { ...defaults(config), ...base, ...classification(labels) };
  for (const { name } of tokenizerFiles) {
    if (/[\\/]/.test(name)) throw new Error(`"${name}" is no plain file name.`);
  }
  return [
    { name: "model.safetensors", tensors: weights },
    ...tokenizerFiles.map(({ name, bytes }) => ({ name, content: bytes })),
    { name: "config.json", content: toJson(fields) },
  ];
}

async function baseConfig(folder: Folder): Promise<Record<string, unknown>> {
  if (!(await folder.has("config.json"))) return {};
  const fields = await readJsonObject(folder, "config.json");
  // These speak of the base model's own files, code, head and storage, not of what is written here.
  for (
    const field of [
      "_name_or_path",
      "_num_labels",
      "auto_map",
      "dtype",
      "finetuning_task",
      "num_labels",
      "quantization_config",
    ]
  ) {
    delete fields[field];
  }
  return fields;
}

/** The fields of BertConfig in transformers. */
function defaults(config: BertConfig): Record<string, unknown> {
  return {
    attention_probs_dropout_prob: config.attentionDropout,
    classifier_dropout: config.classifierDropout === config.hiddenDropout
      ? null
      : config.classifierDropout,
    hidden_act: "gelu",
    hidden_dropout_prob: config.hiddenDropout,
    hidden_size: config.hiddenSize,
    initializer_range: config.initializerRange,
    intermediate_size: config.intermediateSize,
    layer_norm_eps: config.layerNormEps,
    max_position_embeddings: config.maxPositions,
    num_attention_heads: config.heads,
    num_hidden_layers: config.layers,
    pad_token_id: 0,
    position_embedding_type: "absolute",
    type_vocab_size: config.typeVocabSize,
    use_cache: true,
    vocab_size: config.vocabSize,
  };
}

function classification(labels: string[]): Record<string, unknown> {
  return {
    architectures: ["BertForSequenceClassification"],
    id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
    label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
    model_type: "bert",
    problem_type: "single_label_classification",
    // transformers 5 writes "dtype", but reads this as well; 4 knows only this.
    torch_dtype: "float32",
  };
}

/** Reads a model that transformers or this project wrote, with its classifier, into memory. */
export async function readFullModel(folder: Folder, config: BertConfig): Promise<LoadedRun> {
  const path = pathIn(folder, "config.json");
  const { id2label } = await readJsonObject(folder, "config.json");
  if (!isObject(id2label)) {
    throw new UserError(`${path} has no "id2label": this is no fine-tuned classifier.`);
  }
  const classes = Object.keys(id2label).length;
  const source = await openWeights(folder, config);
  try {
    const found: NamedTensors = new Map();
    const specs = bertParameters(config, classes);
    for (const spec of specs) {
      const data = await source.read(spec);
      if (data !== undefined) found.set(spec.name, { shape: spec.shape, data });
    }
    const label2id = Object.fromEntries(
      Object.entries(id2label).map(([id, label]) => [String(label), Number(id)]),
    );
    return {
      method: { method: "full" },
      weights: exactTensors(found, specs, folder.name),
      labels: labelsFromIds(label2id),
    };
  } finally {
    source.close();
  }
}
