/** What all formats of a trained run share: the request, the tensors, and their exact check. */
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import { counted, UserError } from "../errors.ts";
import { type Folder, pathIn } from "../files/folder.ts";
import { readJsonObject } from "../files/json.ts";
import type { NamedTensors } from "../files/run_file.ts";
import type { ParameterSpec, Role } from "../nn/scope.ts";
import type { Method } from "./methods.ts";

export { type NamedTensors, readTensors, type RunFile } from "../files/run_file.ts";

/** The config of a PEFT or AdapterHub folder; a full model's has none. */
export const adapterConfigFile = "adapter_config.json";

export interface ExportRequest {
  method: Method;
  config: EncoderConfig;
  /** In the order of the classifier's rows. */
  labels: string[];
  baseModel: {
    /** What the user asked for, e.g. bert-base-uncased; goes in `base_model_name_or_path`. */
    name: string;
    /** Its Hugging Face folder, where there is one: a full export keeps its config.json's fields. */
    folder?: Folder;
  };
  /** The trained tensors, by our names: see `methodParameters`. */
  weights: NamedTensors;
  /** Copied beside a full model. */
  tokenizerFiles: { name: string; bytes: Uint8Array }[];
}

/** A trained run as its folder tells it; no labels where the folder names none. */
export interface LoadedRun {
  method: Method;
  weights: NamedTensors;
  labels?: string[];
}

/** Throws where the tensors are not exactly those that the specs say. */
export function checkExact(found: NamedTensors, specs: readonly ParameterSpec[]): void {
  const problem = differenceOf(found, specs);
  if (problem !== undefined) throw new Error(`The weights to export do not fit: ${problem}`);
}

/** The head's tensors: all that a classifier has of its own. */
const headOf = (config: EncoderConfig): ParameterSpec[] =>
  declareModel(config, 2).specs.filter(({ role }) => role === "head");

/** Splits the head off, or what else has one of the roles. */
export function splitHead(
  weights: NamedTensors,
  config: EncoderConfig,
  roles: readonly Role[] = ["head"],
): { body: NamedTensors; head: NamedTensors } {
  const { specs } = declareModel(config, 2);
  const names = new Set(specs.filter(({ role }) => roles.includes(role)).map(({ name }) => name));
  const body: NamedTensors = new Map();
  const head: NamedTensors = new Map();
  for (const [name, tensor] of weights) (names.has(name) ? head : body).set(name, tensor);
  return { body, head };
}

/**
 * Throws a UserError where a folder has its weights as a pickle only; `advice` says how its library saves
 * them otherwise.
 */
export async function checkNoPickle(
  folder: Folder,
  wanted: string,
  { pickle, advice }: { pickle: string; advice: string },
): Promise<void> {
  if (await folder.has(wanted) || !(await folder.has(pickle))) return;
  throw new UserError(
    `${folder.name} has its weights as ${pickle} only, a pickle, which can run code when it is ` +
      `loaded; ${wanted} is read. ${advice}.`,
  );
}

/** The number of classes of a run's classifier. Throws a UserError where it has none. */
export function classesOf(weights: NamedTensors, config: EncoderConfig, folder: string): number {
  const head = headOf(config).map(({ name }) => name);
  const missing = head.find((name) => !weights.has(name));
  if (missing !== undefined) {
    const whole = head.some((name) => weights.has(name))
      ? `no whole classifier: "${missing}" is missing`
      : "no classifier";
    throw new UserError(`${folder} holds ${whole}. Save its head (${head.join(", ")}) with it.`);
  }
  return weights.get(head[head.length - 1])!.shape[0]; // the last bias
}

/**
 * Checks that tensors read from a folder are exactly the specified ones; returns them in that order.
 * Throws a UserError naming the first that is missing, misshapen or surplus: what a surplus tensor
 * would have done to the model is unknown, so it is not passed over.
 */
export function exactTensors(
  found: NamedTensors,
  specs: readonly ParameterSpec[],
  folder: string,
): NamedTensors {
  const problem = differenceOf(found, specs);
  if (problem !== undefined) throw new UserError(`${folder} does not fit the model: ${problem}`);
  const ordered: NamedTensors = new Map();
  for (const { name } of specs) {
    const tensor = found.get(name);
    if (tensor !== undefined) ordered.set(name, tensor);
  }
  return ordered;
}

function differenceOf(found: NamedTensors, specs: readonly ParameterSpec[]): string | undefined {
  for (const { name, shape } of specs) {
    const tensor = found.get(name);
    if (tensor === undefined) return `"${name}" [${shape.join(", ")}] is missing.`;
    if (tensor.shape.join() !== shape.join()) {
      return `"${name}" is [${tensor.shape.join(", ")}] instead of [${shape.join(", ")}].`;
    }
  }
  const names = new Set(specs.map((spec) => spec.name));
  const surplus = [...found.keys()].find((name) => !names.has(name));
  return surplus === undefined ? undefined : `"${surplus}" is not one of its tensors.`;
}

/** Labels in the order of their ids from `{"joy": 1, "anger": 0}`; undefined where ids have gaps. */
export function labelsFromIds(label2id: Record<string, unknown>): string[] | undefined {
  const labels: string[] = [];
  const entries = Object.entries(label2id);
  for (const [label, id] of entries) labels[Number(id)] = label;
  const complete = labels.length === entries.length &&
    Array.from(labels).every((x) => x !== undefined);
  return complete ? labels : undefined;
}

/**
 * The labels that the run.json in a folder names: PEFT's format has no place for them. Undefined where
 * there is no such file; throws a UserError where their number is another.
 */
export async function labelsOfRun(folder: Folder, classes: number): Promise<string[] | undefined> {
  if (!(await folder.has("run.json"))) return undefined;
  const path = pathIn(folder, "run.json");
  const { labels } = await readJsonObject(folder, "run.json");
  if (!Array.isArray(labels) || !labels.every((label) => typeof label === "string")) {
    throw new UserError(`${path}: "labels" should be a list of the classes' names.`);
  }
  if (labels.length !== classes) {
    throw new UserError(
      `${path} names ${
        counted(labels.length, "label")
      }, but the classifier in ${folder.name} has ${classes}.`,
    );
  }
  return labels;
}
