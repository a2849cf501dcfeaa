/** A run's folder as it is pushed: of what kind it is, its labels, its base, and the files that go public. */
import { encoderOf, hubOwner, parseConfig } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { type Folder, pathIn } from "../../models/files/folder.ts";
import { isObject, parseJson, readJsonObject } from "../../models/files/json.ts";
import { indexFile, readShardIndex, weightsFile } from "../../models/files/shards.ts";
import { exists } from "../../models/host/files.ts";
import { headConfigFile, labelsOfHead } from "../../models/peft/adapterhub_head.ts";
import { outputAdapterType } from "../../models/peft/output_adapter_files.ts";
import { adapterConfigFile, labelsFromIds } from "../../models/peft/run_files.ts";
import { missingTokenizer, tokenizerFileNames } from "../../models/text/tokenizer.ts";
import { readWeights } from "../inspect/weights.ts";
import { confusionFile } from "../train/confusion.ts";
import { namesIn, numberIn, textIn } from "../shared/fields.ts";
import { type CardRecord, parseRecord, type RunKind } from "./facts.ts";
import { isPath } from "./public.ts";

const runFile = "run.json";
const configFile = "config.json";

/** Files of each kind: what must be there, and what goes along where it is. Nothing else of a folder is sent. */
const filesOf: Record<RunKind, { needed: string[]; optional: string[] }> = {
  peft: { needed: [adapterConfigFile, "adapter_model.safetensors"], optional: [] },
  adapterhub: {
    needed: [adapterConfigFile, "adapter.safetensors", headConfigFile, "model_head.safetensors"],
    optional: [],
  },
  output: { needed: [adapterConfigFile, "adapter.safetensors"], optional: [] },
  transformers: {
    needed: [configFile],
    optional: [...tokenizerFileNames],
  },
};

export interface PushedRun {
  folder: Folder;
  kind: RunKind;
  /** Names of files, in the order of sending: run.json among them, where there is one. */
  files: string[];
  /** Names of files of the folder that stay here. */
  left: string[];
  labels: string[];
  architecture?: string;
  maxLength: number;
  /** `run.json` as it is, and what the card says of it. */
  fields?: Record<string, unknown>;
  record?: CardRecord;
  /** The base's name, where the folder says one. */
  baseName?: string;
}

function kindOf(fields: Record<string, unknown> | undefined, path: string): RunKind {
  if (fields === undefined) return "transformers";
  if ("peft_type" in fields) return "peft";
  if (fields.adapter_type === outputAdapterType) return "output";
  if (isObject(fields.config)) return "adapterhub";
  throw new UserError(
    `${path} has neither PEFT's "peft_type" nor AdapterHub's "config": it is no adapter that is known here.`,
  );
}

/** The files of a kind that a folder has. Throws a UserError where one is missing, or weights are damaged. */
export async function filesToPush(folder: Folder, kind: RunKind): Promise<string[]> {
  const { needed, optional } = filesOf[kind];
  const wanted = [...needed];
  if (kind === "transformers") {
    if (await folder.has(indexFile) && !(await folder.has(weightsFile))) {
      wanted.push(indexFile, ...new Set((await readShardIndex(folder)).values()));
    } else wanted.push(weightsFile);
  }
  for (const name of wanted) {
    if (!(await folder.has(name))) throw new UserError(`${folder.name} has no ${name}.`);
    // Throws for a file that was cut off, and for a git-LFS pointer in its place.
    if (name.endsWith(".safetensors")) await readWeights(await folder.open(name), name);
  }
  for (const name of optional) if (await folder.has(name)) wanted.push(name);
  const noTokenizer = kind === "transformers" ? missingTokenizer(folder.name, wanted) : undefined;
  if (noTokenizer !== undefined) throw noTokenizer;
  return wanted;
}

/** The weights of a classifier's last layer, as PEFT, transformers and AdapterHub name them. */
const lastLayer =
  /(^|\.)classifier(\.out_proj)?(\.modules_to_save(\.\w+)?)?\.weight$|^heads\.\S+\.(1|4)\.weight$/;

/** The labels that a folder's own files or its run.json name; else `LABEL_0` … of the classifier's rows. */
async function labelsOf(
  { folder, kind, files, record }: Pick<PushedRun, "folder" | "kind" | "files" | "record">,
  config: Record<string, unknown>,
): Promise<string[]> {
  if (kind === "transformers" && isObject(config.id2label)) {
    const ids = Object.entries(config.id2label).map(([id, label]) => [String(label), Number(id)]);
    const labels = labelsFromIds(Object.fromEntries(ids));
    if (labels !== undefined) return labels;
  }
  if (kind === "adapterhub") {
    const labels = labelsOfHead(await readJsonObject(folder, headConfigFile));
    if (labels !== undefined) return labels;
  }
  const named = record?.labels ?? (kind === "output" ? namesIn(config.labels) : undefined);
  if (Array.isArray(named)) return named;
  for (const name of files.filter((file) => file.endsWith(".safetensors"))) {
    const { tensors } = await readWeights(await folder.open(name), name);
    const head = tensors.findLast((tensor) => lastLayer.test(tensor.name));
    if (head) return Array.from({ length: head.shape[0] }, (_, id) => `LABEL_${id}`);
  }
  throw new UserError(
    `${folder.name} has no classifier: only a run that sorts texts can be pushed.`,
  );
}

/** Reads a run's folder. Throws a UserError where it is none, lacks a file, or a file is damaged. */
export async function readPushedRun(folder: Folder): Promise<PushedRun> {
  const isAdapter = await folder.has(adapterConfigFile);
  const config = await readJsonObject(folder, isAdapter ? adapterConfigFile : configFile);
  const kind = kindOf(isAdapter ? config : undefined, pathIn(folder, adapterConfigFile));
  const files = await filesToPush(folder, kind);
  const hasRecord = await folder.has(runFile);
  const fields = hasRecord ? await readJsonObject(folder, runFile) : undefined;
  const record = fields && parseRecord(fields, pathIn(folder, runFile));
  for (const name of [runFile, confusionFile, "steps.jsonl"]) {
    if (await folder.has(name)) files.push(name);
  }
  const present = (await folder.list()).filter((name) => !files.includes(name));
  const maxLength = numberIn(record?.hyperparameters.max_length) ?? 512;
  return {
    folder,
    kind,
    files,
    left: present,
    labels: await labelsOf({ folder, kind, files, record }, config),
    architecture: kind === "transformers"
      ? encoderOf(parseConfig(config, pathIn(folder, configFile))).architecture
      : textIn(config.model_class),
    maxLength,
    fields,
    record,
    baseName: record?.model?.name ?? textIn(config.base_model_name_or_path) ??
      textIn(config.model_name),
  };
}

/** A base's name as the hub has it today, such as `google-bert/bert-base-uncased`; undefined where it is none of the hub's. */
export async function hubNameOf(
  name: string | undefined,
  recorded: CardRecord["model"],
): Promise<string | undefined> {
  if (name === undefined || name === recorded?.folder || isPath(name)) return undefined;
  const owner = name.includes("/") ? undefined : hubOwner(name);
  if (owner !== undefined) return `${owner}/${name}`;
  if (!/^[\w-][\w.-]*\/[\w.-]+$/.test(name)) return undefined;
  // Without a record it may as well be a folder: here it is one.
  return recorded?.folder === undefined && await exists(name) ? undefined : name;
}

/** A JSON file's text, which is checked to be JSON. */
export async function jsonText(folder: Folder, name: string): Promise<string> {
  const text = await folder.text(name);
  parseJson(text, pathIn(folder, name));
  return text;
}
