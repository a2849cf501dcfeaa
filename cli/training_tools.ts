/** The real tools: loading this file loads the engine. */
import { createDevice } from "../engine/device.ts";
import { tunePlans, tuningKey } from "../engine/tuner.ts";
import { loadTokenizer } from "../models/bert/tokenizer.ts";
import { openWeights, randomWeights } from "../models/bert/weights.ts";
import { loadDataset } from "../models/data/load.ts";
import { stratifiedSplit } from "../models/data/split.ts";
import { exportRandomBase, exportRun } from "../models/peft/export.ts";
import { resolveModel } from "../models/resolve.ts";
import { train } from "../models/training/trainer.ts";
import type { TrainingTools } from "./tools.ts";

type Device = Awaited<ReturnType<typeof createDevice>>;

export const trainingTools: TrainingTools<Device> = {
  createDevice: () => createDevice(),
  resolveModel,
  loadDataset,
  stratifiedSplit,
  loadTokenizer,
  /** A folder's weights, or a seeded random start. */
  openWeights: async (model) =>
    model.random ? randomWeights(model.name) : await openWeights(model.folder, model.config),
  train,
  tuningKey,
  tuneKernels: async (device, products, options) =>
    device.tunedPlans = await tunePlans(device, products, options),
  exportRun,
  exportRandomBase,
};
