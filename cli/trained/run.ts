/** A trained run by its folder: its weights, its labels, and the base model that they lie over. */
import { join, resolve as resolvePath } from "node:path";
import * as v from "valibot";
import { type Dtype, dtypes } from "../../engine/pack.ts";
import { maxTokens } from "../../models/encoders/mod.ts";
import { openWeights, randomWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { type Quoting, quotings } from "../../models/data/delimited_rows.ts";
import { encodingNamed } from "../../models/data/encodings.ts";
import { type LabelCase, labelCases } from "../../models/data/labels.ts";
import { type SplitBy, splitBys } from "../../models/data/part_names.ts";
import { UserError } from "../../models/errors.ts";
import { type Folder, pathIn } from "../../models/files/folder.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { entriesOf, exists, hostFolder } from "../../models/host/files.ts";
import { isFolder, type ResolvedModel, resolveModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { type LoadedRun, readRun } from "../../models/peft/export.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import { adapterConfigFile, classesOf } from "../../models/peft/run_files.ts";
import { defaultHyperparameters as defaults } from "../../models/training/events.ts";
import { issueOf } from "../shared/issues.ts";
import { quoted } from "../shared/shell.ts";
import { labelsFor } from "./labels.ts";

/** What a run was trained on: enough to load the same rows again, and to split them alike. */
export interface RecordedData {
  name: string;
  sample: boolean;
  textColumn: string;
  labelColumn: string;
  encoding?: string;
  quoting?: Quoting;
  hash: string;
  maxSamples?: number;
  seed: number;
  splitBy: SplitBy;
  labelCase: LabelCase;
}

/** How texts are put before the model. */
export interface Sizes {
  maxLength: number;
  batchSize: number;
}

export interface TrainedRun extends LoadedRun {
  folder: Folder;
  /** The base; of full fine-tuning the run's own folder, unless another was named. */
  model: ResolvedModel;
  /** In the order of the classifier's rows; `LABEL_0` … where the folder names none. */
  labels: string[];
  /** What to say of labels that are no names; among the model's notices, too. */
  labelNotices: string[];
  /** As the run was trained, within what the model takes. */
  maxLength: number;
  batchSize: number;
  frozenDtype: Dtype;
  /** Undefined where no `run.json` tells. */
  data?: RecordedData;
}

/** As the flags of the same names: a batch of none would never end. */
const wholeFrom = (least: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(least));

/** What is read of a `run.json`; one that says the labels alone will do. */
const recordedRun = v.object({
  model: v.optional(
    v.object({
      name: v.pipe(v.string(), v.nonEmpty()),
      /** Of older versions, whose `mini` started at random: it lies beside the run. */
      random_start: v.optional(v.boolean(), false),
      /** Of a page's run over the reader's own files, which lie beside it under no name that others know. */
      beside: v.optional(v.boolean(), false),
    }),
  ),
  hyperparameters: v.optional(
    v.object({
      max_length: v.optional(wholeFrom(3), defaults.maxLength),
      batch_size: v.optional(wholeFrom(1), defaults.batchSize),
      frozen_dtype: v.optional(v.picklist(dtypes), defaults.frozenDtype),
      seed: v.optional(wholeFrom(0)),
    }),
    {},
  ),
  dataset: v.optional(v.object({
    name: v.string(),
    sample: v.boolean(),
    text_column: v.string(),
    label_column: v.string(),
    encoding: v.optional(
      v.pipe(v.string(), v.check((name) => encodingNamed(name) === name, "No encoding")),
    ),
    quoting: v.optional(v.picklist(quotings)),
    hash: v.string(),
    max_samples: v.nullable(wholeFrom(1)),
    /** Older versions split the training part, whatever else there was. */
    split: v.optional(
      v.object({
        seed: v.optional(wholeFrom(0)),
        by: v.optional(v.picklist(splitBys), "ratio"),
      }),
      {},
    ),
    label_case: v.optional(v.picklist(labelCases), "keep"),
  })),
});

async function readRecord(folder: Folder): Promise<v.InferOutput<typeof recordedRun>> {
  if (!(await folder.has("run.json"))) return v.parse(recordedRun, {});
  const parsed = v.safeParse(recordedRun, await readJsonObject(folder, "run.json"));
  if (parsed.success) return parsed.output;
  throw new UserError(`${pathIn(folder, "run.json")}: ${issueOf(parsed.issues)}.`);
}

function dataOf(
  { dataset, hyperparameters }: v.InferOutput<typeof recordedRun>,
): RecordedData | undefined {
  const seed = dataset?.split.seed ?? hyperparameters.seed; // one seed did for both at first
  if (dataset === undefined || seed === undefined) return undefined;
  const { name, sample, hash } = dataset;
  return {
    name,
    sample,
    textColumn: dataset.text_column,
    labelColumn: dataset.label_column,
    encoding: dataset.encoding,
    quoting: dataset.quoting,
    hash,
    maxSamples: dataset.max_samples ?? undefined,
    seed,
    splitBy: dataset.split.by,
    labelCase: dataset.label_case,
  };
}

/** By these a folder is known as a trained run's: ours, an adapter of PEFT or AdapterHub, a whole model. */
const marks = [adapterConfigFile, "config.json"];

/** The folder itself, or the one run or adapter that a folder of several holds. */
export async function findFolder(path: string): Promise<Folder> {
  if (!(await isFolder(path))) throw new UserError(`There is no folder ${path}.`);
  const folder = hostFolder(path);
  for (const mark of marks) if (await folder.has(mark)) return folder;
  const runs: string[] = [];
  for (const { name } of await entriesOf(path)) {
    // An experiment's folder also holds base models, which have no run.json.
    const found = [adapterConfigFile, "run.json"].map((file) => exists(join(path, name, file)));
    if (!name.startsWith(".") && (await Promise.all(found)).includes(true)) runs.push(name);
  }
  runs.sort();
  if (runs.length === 1) return hostFolder(join(path, runs[0]));
  if (runs.length === 0) {
    throw new UserError(
      `${path} holds neither ${adapterConfigFile} nor config.json: it is not the folder of a ` +
        `trained run.`,
    );
  }
  const [first, second] = runs.map((run) => `--run ${quoted(join(path, run))}`);
  throw new UserError(
    `${path} holds several runs: ${runs.join(", ")}. Name one: ${first} ` +
      `(deno task predict takes several: ${first} ${second}).`,
    { exitCode: 2 },
  );
}

/** The base that an adapter's folder names, in PEFT's words or in AdapterHub's. */
async function namedBase(folder: Folder): Promise<string> {
  const fields = await readJsonObject(folder, adapterConfigFile);
  const { revision } = fields;
  if (typeof revision === "string" && revision !== "main") {
    throw new UserError(
      `${
        pathIn(folder, adapterConfigFile)
      }: "revision" is "${revision}"; of a base only the latest ` +
        `one is fetched. Download that one.`,
      { remedy: { kind: "otherModel" } },
    );
  }
  const name = fields.base_model_name_or_path ?? fields.model_name;
  if (typeof name === "string" && name !== "") return name;
  throw new UserError(`${folder.name} does not say which model it was trained over.`, {
    remedy: { kind: "otherModel" },
  });
}

/**
 * Finds and reads a trained run, and finds its base: the model that is named, else what `run.json`
 * says, else what the folder's config says. Labels are those that are given (see {@link labelsFor}), else the
 * folder's. Throws a UserError where the folder is no run or does not fit the model or the labels, and where the
 * model cannot be had.
 */
export async function findRun(
  path: string,
  modelName: string | undefined,
  hub: HubSettings,
  givenLabels?: string,
  resolve = resolveModel,
): Promise<TrainedRun> {
  const folder = await findFolder(path);
  const record = await readRecord(folder);
  const { model: recorded, hyperparameters } = record;
  const whole = !(await folder.has(adapterConfigFile));
  const isBeside = recorded?.random_start || recorded?.beside;
  const beside = isBeside ? baseBeside(folder).name : undefined;
  const name = modelName ??
    (whole ? resolvePath(folder.name) : beside ?? recorded?.name ?? await namedBase(folder));
  const model = await resolve(name, hub);
  const run = await readRun(folder, model.config);
  const classes = classesOf(run.weights, model.config, folder.name);
  const labels = await labelsFor(run, folder, classes, givenLabels);
  return {
    ...run,
    folder,
    model: { ...model, notices: [...model.notices, ...labels.notices] },
    labels: labels.names,
    labelNotices: labels.notices,
    maxLength: Math.min(hyperparameters.max_length, maxTokens(model.config)),
    batchSize: hyperparameters.batch_size,
    frozenDtype: hyperparameters.frozen_dtype,
    data: dataOf(record),
  };
}

/** The folder beside a run in which training leaves a base that is built in, and the page one of files. */
export const baseBeside = (run: Folder): Folder => hostFolder(join(run.name, "..", "base"));

/** The weights that a run lies over; of full fine-tuning, which leaves nothing of them, any. The caller closes them. */
export async function openBase({ model, method, labels }: TrainedRun): Promise<WeightSource> {
  return definitionOf(method).trainsAll
    ? randomWeights(model.name)
    : await openWeights(hostFolder(model.folder), model.config, labels.length);
}

/** A run's own sizes where none were asked for. Throws a UserError for a length that the model lacks. */
export function sizesOf(run: TrainedRun, asked: Partial<Sizes>): Sizes {
  const { maxLength = run.maxLength, batchSize = run.batchSize } = asked;
  const longest = maxTokens(run.model.config);
  if (maxLength > longest) {
    throw new UserError(
      `--max_length ${maxLength} is more than the model's ${longest} positions.`,
      { exitCode: 2 },
    );
  }
  return { maxLength, batchSize };
}
