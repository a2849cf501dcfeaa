/** The real tools: loading this file loads the engine. */
import { CooperativeError } from "../../engine/matrix_units.ts";
import { createDevice } from "../../engine/device.ts";
import { tunePlans, tuningKey } from "../../engine/tuner.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { UserError } from "../../models/errors.ts";
import { loadDataset } from "../../models/host/dataset.ts";
import { hostFolder } from "../../models/host/files.ts";
import { exportRun } from "../../models/peft/export.ts";
import { builtInFiles } from "../../models/host/built_in.ts";
import { resolveModel } from "../../models/host/resolve.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { stepProducts } from "../../models/training/products.ts";
import { train } from "../../models/training/trainer.ts";
import type { TrainingTools } from "./tools.ts";

type Device = Awaited<ReturnType<typeof createDevice>>;

export const trainingTools: TrainingTools<Device> = {
  async createDevice(options = {}) {
    try {
      return await createDevice(options);
    } catch (error) {
      if (!(error instanceof CooperativeError)) throw error;
      const isDawn = !(navigator.gpu instanceof GPU);
      const advice = isDawn
        ? "Leave it out to train in f32."
        : "Try --backend dawn, or leave it out to train in f32.";
      throw new UserError(
        `--matmul_precision f16 needs cooperative matrices, which this adapter does not grant: ` +
          `${error.message.replace(/\.$/, "")}. ${advice}`,
        { cause: error },
      );
    }
  },
  resolveModel,
  loadDataset,
  stratifiedSplit,
  loadTokenizer: (folder, embeddings) => loadTokenizer(hostFolder(folder), embeddings),
  openWeights: ({ folder, config }, labels) => openWeights(hostFolder(folder), config, labels),
  train,
  stepProducts,
  tuningKey,
  async tuneKernels(device, products, options) {
    const tuned = await tunePlans(device, products, options);
    device.tunedPlans = tuned.plans;
    return tuned;
  },
  exportRun,
  builtInFiles,
};
