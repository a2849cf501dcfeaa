/** The real tools: loading this file loads the engine. */
import { CooperativeError } from "../engine/cooperative.ts";
import { createDevice } from "../engine/device.ts";
import { tunePlans, tuningKey } from "../engine/tuner.ts";
import { loadTokenizer } from "../models/bert/tokenizer.ts";
import { openWeights, randomWeights } from "../models/bert/weights.ts";
import { loadDataset } from "../models/data/load.ts";
import { stratifiedSplit } from "../models/data/split.ts";
import { UserError } from "../models/files/errors.ts";
import { exportRandomBase, exportRun } from "../models/peft/export.ts";
import { resolveModel } from "../models/resolve.ts";
import { train } from "../models/training/trainer.ts";
import type { TrainingTools } from "./tools.ts";

type Device = Awaited<ReturnType<typeof createDevice>>;

export const trainingTools: TrainingTools<Device> = {
  async createDevice({ matmulPrecision } = {}) {
    try {
      return await createDevice({ matmulPrecision });
    } catch (error) {
      if (!(error instanceof CooperativeError)) throw error;
      throw new UserError(
        `--matmul_precision f16 needs cooperative matrices, which this adapter does not grant: ` +
          `${error.message.replace(/\.$/, "")}. Leave it out to train in f32.`,
        { cause: error },
      );
    }
  },
  resolveModel,
  loadDataset,
  stratifiedSplit,
  loadTokenizer,
  /** A folder's weights, or a seeded random start. */
  openWeights: async (model) =>
    model.random ? randomWeights(model.name) : await openWeights(model.folder, model.config),
  train,
  tuningKey,
  async tuneKernels(device, products, options) {
    const tuned = await tunePlans(device, products, options);
    device.tunedPlans = tuned.plans;
    return tuned;
  },
  exportRun,
  exportRandomBase,
};
