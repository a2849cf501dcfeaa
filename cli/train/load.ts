/** What an experiment computes on: model, data and tokenizer, checked before anything is set up. */
import type { Dataset } from "../../models/data/load.ts";
import type { Split } from "../../models/data/split.ts";
import { hostFolder } from "../../models/host/files.ts";
import { weightsFingerprint } from "../../models/host/fingerprint.ts";
import type { ResolvedModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import { checkClassWeights } from "../../models/training/class_weights.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import { dataRequest, labelNotices } from "./data_request.ts";
import type { Flags } from "./flags.ts";
import { fitToModel, type Plan, type PlannedRun } from "./plan.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";

export interface LoadOptions {
  flags: Flags;
  plan: Plan;
  hub: HubSettings;
  /** Notices go here. */
  err: Output;
}

/** What the runs compute on, once it is loaded. */
export interface Loaded {
  runs: PlannedRun[];
  model: ResolvedModel;
  /** The fingerprint of its weights. */
  weights: string;
  dataset: Dataset;
  split: Split;
  tokenizer: Tokenizer;
  /** What the checkpoint's reader noted. */
  weightNotes: string[];
}

/** What is said as it is loaded, and kept with the results. */
export const noticesOf = (
  { model, tokenizer, dataset }: Pick<Loaded, "model" | "tokenizer" | "dataset">,
) => [model, tokenizer, dataset].flatMap(({ notices }) => notices);

/** Loads it. Throws a UserError where something cannot be trained on. */
export async function load<Device extends DeviceHandle>(
  { flags, plan, hub, err }: LoadOptions,
  tools: TrainingTools<Device>,
): Promise<Loaded> {
  const model = await tools.resolveModel(flags.modelName, hub);
  const { runs } = fitToModel(plan, flags, model.config, model.name);
  const read = await tools.loadDataset(dataRequest(flags, hub));
  const dataset = { ...read, notices: [...read.notices, ...labelNotices(read, flags.labelCase)] };
  const { classWeights } = runs[0].hyperparameters;
  if (classWeights !== undefined) checkClassWeights(classWeights, dataset.labels);
  const tokenizer = await tools.loadTokenizer(model.folder, model.config.vocabSize);
  for (const notice of noticesOf({ model, tokenizer, dataset })) {
    err.write(renderNotice(err, notice));
  }
  const split = tools.stratifiedSplit(dataset, {
    seed: plan.splitSeed,
    maxSamples: flags.maxSamples,
  });
  // Its header alone: a file that cannot be trained from is told before anything is set up.
  const opened = await tools.openWeights(model, dataset.labels);
  opened.close();
  const folders = [model.folder, model.continuedFrom ?? []].flat();
  const weights = await weightsFingerprint(...folders.map((folder) => hostFolder(folder)));
  return { runs, model, weights, dataset, split, tokenizer, weightNotes: opened.notes };
}
