/** Full fine-tuning: every weight trains. Saved as transformers saves a model. */
import { UserError } from "../errors.ts";
import { encoderOf } from "../encoders/mod.ts";
import { isObject, readJsonObject, shown, toJson } from "../files/json.ts";
import { openCheckpoint } from "../files/checkpoint.ts";
import { pathIn } from "../files/folder.ts";
import { noWrapping } from "../nn/wrapping.ts";
import type { MethodDefinition } from "./method.ts";
import { labelsFromIds, type NamedTensors } from "./run_files.ts";

export interface FullMethod {
  method: "full";
}

export const full: MethodDefinition<FullMethod, Record<never, never>> = {
  name: "full",
  label: "Full",
  compared: true,
  trainsAll: true,
  settings: {},
  plan: () => [{ method: "full" }],
  runName: () => "full",
  configLabel: () => "-",
  report: () => ({}),
  fit: (method) => method,
  wrap: () => noWrapping,
  merge: "it is of full fine-tuning, so its folder is a whole model already.",

  /** Fields that the base model's config.json has are kept. */
  async files({ baseModel, config, labels, tokenizerFiles, weights }) {
    const elsewhere = tokenizerFiles.find(({ name }) => /[\\/]/.test(name));
    if (elsewhere) throw new Error(`"${elsewhere.name}" is no plain file name.`);
    const encoder = encoderOf(config);
    const base = baseModel.folder ? await baseFields(baseModel.folder) : {};
    const fields = {
      ...encoder.fields(config),
      ...base,
      architectures: [encoder.architecture],
      id2label: Object.fromEntries(labels.map((label, id) => [id, label])),
      label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
      model_type: encoder.type,
      problem_type: "single_label_classification",
      // transformers 5 writes "dtype", but reads this as well; 4 knows only this.
      torch_dtype: "float32",
    };
    return [
      { name: "model.safetensors", tensors: weights },
      ...tokenizerFiles.map(({ name, bytes }) => ({ name, content: bytes })),
      { name: "config.json", content: toJson(fields) },
    ];
  },

  owns: (fields) => fields === undefined,

  /** Reads a model that transformers or this project wrote, with its classifier, into memory. */
  async read(folder, config) {
    const fields = await readJsonObject(folder, "config.json");
    checkClassifier(fields, encoderOf(config).architecture, pathIn(folder, "config.json"));
    const { id2label } = fields;
    if (!isObject(id2label)) {
      throw new UserError(
        `${folder.name}/config.json has no "id2label": this is no fine-tuned classifier.`,
      );
    }
    const ids = Object.entries(id2label).map(([id, label]) => [String(label), Number(id)]);
    const checkpoint = await openCheckpoint(folder);
    try {
      const tensors: NamedTensors = new Map();
      for (const { name, shape } of checkpoint.tensors.values()) {
        tensors.set(name, { shape, data: await checkpoint.read(name) });
      }
      return {
        method: { method: "full" },
        tensors,
        labels: labelsFromIds(Object.fromEntries(ids)),
      };
    } finally {
      checkpoint.close();
    }
  },
};

/** Throws a UserError where a model is of another class, or its scores are no classes' scores. */
function checkClassifier(
  { architectures = [], problem_type: problem }: Record<string, unknown>,
  architecture: string,
  path: string,
): void {
  if (Array.isArray(architectures) && !architectures.every((each) => each === architecture)) {
    throw new UserError(
      `${path}: "architectures" is ${shown(architectures)}; only ${architecture} is ` +
        `supported as a trained run.`,
    );
  }
  if (problem !== undefined && problem !== null && problem !== "single_label_classification") {
    throw new UserError(
      `${path}: "problem_type" is ${shown(problem)}; only "single_label_classification" ` +
        `is supported.`,
    );
  }
}

/** These speak of the base model's own files, code, head and storage, not of what is written here. */
const ownToBase = [
  "_name_or_path",
  "_num_labels",
  "auto_map",
  "dtype",
  "finetuning_task",
  "num_labels",
  "quantization_config",
];

async function baseFields(folder: Parameters<typeof readJsonObject>[0]) {
  if (!(await folder.has("config.json"))) return {};
  const fields = await readJsonObject(folder, "config.json");
  for (const field of ownToBase) delete fields[field];
  return fields;
}
