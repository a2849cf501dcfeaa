/** Tunes the kernels for the adapter before the first run, where that has not been done. */
import type { Product, TunedPlans } from "../engine/plans.ts";
import type { BertConfig } from "../models/bert/config.ts";
import { stepProducts } from "../models/bert/products.ts";
import type { Tokenizer } from "../models/text/tokenizer.ts";
import type { Split } from "../models/data/split.ts";
import { messageOf } from "../models/errors.ts";
import type { PlannedRun } from "./plan.ts";
import { type Output, renderNotice } from "./terminal.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { readTunedPlans, tuningCachePath, writeTunedPlans } from "./tuning_cache.ts";

export interface Tuning {
  plans: TunedPlans;
  /** What was done, for the reader; undefined where all was known. */
  fact?: string;
}

/** Sentences that are tokenised for an idea of a batch's size. */
const sampledSentences = 64;

/** The matrix products of the runs' training steps, for batches of the usual length. */
export function productsOf(
  runs: PlannedRun[],
  config: BertConfig,
  split: Split,
  tokenizer: Tokenizer,
): Product[] {
  return runs.flatMap(({ method, hyperparameters }) => {
    const { batchSize: sentences, maxLength, frozenDtype } = hyperparameters;
    const texts = split.train.slice(0, sampledSentences);
    const count = texts.reduce(
      (sum, { text }) => sum + tokenizer.encode(text, maxLength).length,
      0,
    );
    const tokens = Math.ceil(count / texts.length * sentences);
    return stepProducts(config, method, { sentences, tokens }, frozenDtype);
  });
}

/** Plans from the cache, and those that are missing timed, used by the device and kept. */
export async function tuneForAdapter<Device extends DeviceHandle>(
  device: Device,
  products: readonly Product[],
  tools: Pick<TrainingTools<Device>, "tuneKernels" | "tuningKey">,
  err: Output,
  path = tuningCachePath(),
): Promise<Tuning> {
  const key = tools.tuningKey(device);
  const known = await readTunedPlans(path, key);
  const started = performance.now();
  const plans = await tools.tuneKernels(device, products, {
    known,
    report: (done, classes) => {
      if (err.terminal) {
        err.write(`\r\x1b[KTuning kernels for this GPU: ${done} of ${classes} done`);
      }
    },
  });
  if (err.terminal) err.write("\r\x1b[K");
  const added = Object.keys(plans).length - Object.keys(known).length;
  if (added === 0) return { plans };
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const what = `${added} kind${added > 1 ? "s" : ""} of matrix product in ${seconds} s`;
  try {
    await writeTunedPlans(path, key, plans);
    return { plans, fact: `${what}, kept in ${path}` };
  } catch (error) {
    err.write(renderNotice(err, `The tuned kernels could not be kept: ${messageOf(error)}`));
    return { plans, fact: what };
  }
}
