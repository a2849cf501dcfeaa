/**
 * Heads as AdapterHub's library writes and reads them, `head_config.json` and `model_head.safetensors`: the
 * classifier of a model that transformers has too, under its plain names (`"config": null`), or a head of
 * `AutoAdapterModel`, a row of linear layers `heads.NAME.1`, `heads.NAME.4` over the first row or the pooler.
 */
import { declareModel, type EncoderConfig, encoderOf } from "../encoders/mod.ts";
import { counted, UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { isObject, readJsonObject, shown, toJson } from "../files/json.ts";
import type { RunFile } from "../files/run_file.ts";
import type { PooledActivation } from "../nn/wrapping.ts";
import {
  checkNoPickle,
  classesOf,
  labelsFromIds,
  type NamedTensors,
  readTensors,
} from "./run_files.ts";

export const headConfigFile = "head_config.json";
const headWeightsFile = "model_head.safetensors";

/** How the library saves what is read here; without it, it writes pickles. */
export const withSafetensors = "Save it again with use_safetensors=True";

/** A head by our names. */
interface HubHead {
  tensors: NamedTensors;
  labels?: string[];
  /** Whether the head's first layer stands in the pooler's place. */
  poolerTrains?: true;
  /** What follows its first layer, where that is not the encoder's own. */
  pooledActivation?: PooledActivation;
}

/** The class that an adapter's config names: the library's own where a head is of its own. */
export function hubModelClass(config: EncoderConfig, ownHead: boolean): string {
  const { architecture } = encoderOf(config);
  return ownHead ? architecture.replace("ForSequenceClassification", "AdapterModel") : architecture;
}

/** The linear layers from a sentence's first row to its scores; the pooler is one of them. */
const layersOf = (config: EncoderConfig): string[] =>
  declareModel(config, 2).specs
    .filter(({ role, kind }) => (role === "head" || role === "pooler") && kind === "matrix")
    .map(({ name }) => name.replace(/\.weight$/, ""));

/** The names of a head's linear layers in the library's files: dropout and activations stand between them. */
const storedLayers = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, layer) => `heads.${name}.${1 + 3 * layer}`);

/**
 * The files of a head: of the library's own where an `activation` between two layers is given. `about` are the
 * fields that the adapter's config has as well.
 */
export function headFiles(
  about: Record<string, unknown>,
  name: string,
  { config, labels, weights, activation }: {
    config: EncoderConfig;
    labels: readonly string[];
    weights: NamedTensors;
    activation?: PooledActivation;
  },
): RunFile[] {
  const label2id = Object.fromEntries(labels.map((label, id) => [label, id]));
  if (activation === undefined) {
    const fields = { ...about, config: null, label2id, name: null, num_labels: labels.length };
    return [
      { name: headWeightsFile, tensors: weights },
      { name: headConfigFile, content: toJson(fields) },
    ];
  }
  const modules = layersOf(config);
  const stored = storedLayers(name, modules.length);
  const tensors: NamedTensors = new Map();
  for (const [layer, module] of modules.entries()) {
    for (const part of ["weight", "bias"]) {
      tensors.set(`${stored[layer]}.${part}`, weights.get(`${module}.${part}`)!);
    }
  }
  const fields = {
    ...about,
    config: {
      activation_function: activation,
      bias: true,
      dropout_prob: null,
      head_type: "classification",
      label2id,
      layers: modules.length,
      num_labels: labels.length,
      use_pooler: false,
    },
    name,
  };
  return [
    { name: headWeightsFile, tensors },
    { name: headConfigFile, content: toJson(fields) },
  ];
}

/** The labels that a head's config names, in the order of the classifier's rows; undefined where it names none. */
export function labelsOfHead(fields: Record<string, unknown>): string[] | undefined {
  const { label2id } = isObject(fields.config) ? fields.config : fields;
  return isObject(label2id) ? labelsFromIds(label2id) : undefined;
}

/** Reads a head. Throws a UserError where there is none, or where it is none that the encoder has. */
export async function readHead(folder: Folder, config: EncoderConfig): Promise<HubHead> {
  if (!(await folder.has(headConfigFile))) {
    throw new UserError(
      `${folder.name} has no ${headConfigFile}: save the adapter with its head (with_head=True).`,
    );
  }
  const fields = await readJsonObject(folder, headConfigFile);
  const path = pathIn(folder, headConfigFile);
  const ownHead = isObject(fields.config);
  const expected = hubModelClass(config, ownHead);
  if (fields.model_class !== expected) {
    throw new UserError(
      `${path}: the head belongs to ${shown(fields.model_class)}; only one of ${expected} ` +
        `is supported.`,
    );
  }
  await checkNoPickle(folder, headWeightsFile, {
    pickle: "pytorch_model_head.bin",
    advice: withSafetensors,
  });
  const stored = await readTensors(folder, headWeightsFile);
  const head = isObject(fields.config)
    ? ownHeadOf(stored, config, { fields: fields.config, name: String(fields.name), path })
    : { tensors: stored };
  const labels = labelsOfHead(fields);
  const classes = classesOf(head.tensors, config, folder.name);
  if (labels !== undefined && labels.length !== classes) {
    throw new UserError(
      `${path} names ${counted(labels.length, "label")}, but the classifier beside it has ${
        counted(classes, "class", "classes")
      }.`,
    );
  }
  return { ...head, labels };
}

/** Fields of a head of the library's own that are read; `dropout_prob` counts in training alone. */
const known = [
  "activation_function",
  "bias",
  "dropout_prob",
  "head_type",
  "label2id",
  "layers",
  "num_labels",
  "use_pooler",
];

/** A head of the library's own as the layers that compute the same here. Throws a UserError where there are none. */
function ownHeadOf(
  stored: NamedTensors,
  config: EncoderConfig,
  { fields, name, path }: { fields: Record<string, unknown>; name: string; path: string },
): Omit<HubHead, "labels"> {
  const refuse = (field: string, wanted: string): never => {
    throw new UserError(
      `${path}: "${field}" of the head is ${shown(fields[field])}; ${wanted}.`,
    );
  };
  const other = Object.keys(fields).find((field) => !known.includes(field) && fields[field]);
  if (other !== undefined) refuse(other, "only its default is supported");
  if (fields.head_type !== "classification") {
    refuse("head_type", `only "classification" is supported`);
  }
  const all = layersOf(config);
  const head = all.filter((module) => !isPooler(module, config));
  const pooler = head.length < all.length;
  const modules = fields.use_pooler ? head : all;
  if (fields.use_pooler && !pooler) refuse("use_pooler", `${config.type} has no pooler here`);
  if (fields.layers !== modules.length) {
    const over = fields.use_pooler ? "over the pooler" : "over the first token's row";
    const also = pooler && !fields.use_pooler ? `, or 1 over the pooler ("use_pooler": true)` : "";
    refuse("layers", `${modules.length} ${over}${also} can be computed on ${config.type}`);
  }
  const activation = (["tanh", "relu"] as const).find((each) =>
    each === fields.activation_function
  );
  if (modules.length > 1 && activation === undefined) {
    refuse("activation_function", `between two layers only "tanh" and "relu" are supported`);
  }
  const isOther = modules.length > 1 && activation !== encoderOf(config).pooledActivation;
  const tensors = renamed(
    stored,
    storedLayers(name, modules.length),
    modules,
    fields.bias === false,
  );
  return {
    tensors,
    ...(modules.some((module) => isPooler(module, config)) && { poolerTrains: true }),
    ...(isOther && { pooledActivation: activation }),
  };
}

const isPooler = (module: string, config: EncoderConfig): boolean =>
  declareModel(config, 2).specs.some(({ name, role }) =>
    role === "pooler" && name === `${module}.weight`
  );

/** Tensors of layers under the layers' names here; those of no layer keep their own, to be refused as surplus. */
function renamed(
  stored: NamedTensors,
  from: readonly string[],
  to: readonly string[],
  withoutLastBias: boolean,
): NamedTensors {
  const tensors: NamedTensors = new Map();
  for (const [name, tensor] of stored) {
    const end = name.lastIndexOf(".");
    const layer = from.indexOf(name.slice(0, end));
    tensors.set(layer < 0 ? name : `${to[layer]}${name.slice(end)}`, tensor);
  }
  const last = to[to.length - 1];
  const weight = tensors.get(`${last}.weight`);
  if (withoutLastBias && weight && !tensors.has(`${last}.bias`)) {
    const [classes] = weight.shape;
    tensors.set(`${last}.bias`, { shape: [classes], data: new Float32Array(classes) });
  }
  return tensors;
}
