/** Tunes the kernels for the adapter before the first run, where that has not been done. */
import type { Product } from "../../engine/plans.ts";
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import type { Tokenizer } from "../../models/text/tokenizer.ts";
import type { Split } from "../../models/data/split.ts";
import { counted, messageOf } from "../../models/errors.ts";
import type { PlannedRun } from "./plan.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { type KeptTuning, readTuning, tuningCachePath, writeTuning } from "./tuning_cache.ts";

export interface Tuning extends KeptTuning {
  /** What was done, for the reader; undefined where all was known. */
  fact?: string;
}

/** Sentences that are tokenised for an idea of a batch's size. */
const sampledSentences = 64;

/** The matrix products of the runs' training steps, for batches of the usual length. */
export function productsOf<Device extends DeviceHandle>(
  device: Device,
  runs: PlannedRun[],
  { config, classes }: { config: EncoderConfig; classes: number },
  { train }: Split,
  tokenizer: Tokenizer,
  tools: Pick<TrainingTools<Device>, "stepProducts">,
): Product[] {
  const texts = train.slice(0, sampledSentences);
  return runs.flatMap(({ method, hyperparameters }) => {
    const { batchSize: sentences, maxLength, frozenDtype } = hyperparameters;
    const count = texts.reduce(
      (sum, { text }) => sum + tokenizer.encode(text, maxLength).length,
      0,
    );
    const tokens = Math.ceil(count / texts.length * sentences);
    const options = { config, method, classes, frozenDtype };
    return tools.stepProducts(device, options, { sentences, tokens });
  });
}

/** What the cache has, and what is missing there timed, used by the device and kept. */
export async function tuneForAdapter<Device extends DeviceHandle>(
  device: Device,
  products: readonly Product[],
  tools: Pick<TrainingTools<Device>, "tuneKernels" | "tuningKey">,
  err: Output,
  path = tuningCachePath(),
): Promise<Tuning> {
  const key = tools.tuningKey(device);
  const known = await readTuning(path, key);
  const started = performance.now();
  const { plans, refused, left } = await tools.tuneKernels(device, products, {
    known: known.plans,
    refused: known.refused,
    report: (done, classes) => {
      if (err.terminal) {
        err.write(`\r\x1b[KTuning kernels for this GPU: ${done} of ${classes} done`);
      }
    },
  });
  if (err.terminal) err.write("\r\x1b[K");
  const { taken, foreign } = compared(known, { plans, refused });
  const timed = Object.keys(plans).length - taken.plans;
  const newlyRefused = refused.length - taken.refused;
  if (known.damage !== undefined) sayIgnored(err, `${path} cannot be used (${known.damage})`);
  else if (foreign > 0) {
    sayIgnored(err, `${path} holds ${counted(foreign, "plan")} that this adapter cannot have kept`);
  }
  const changed = timed + newlyRefused + foreign > 0;
  if (!changed && left.length === 0) return { plans, refused };
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  let fact = `${counted(timed, "kind")} of matrix product in ${seconds} s`;
  if (changed) {
    try {
      await writeTuning(path, key, { plans, refused });
      fact += `, kept in ${path}`;
    } catch (error) {
      err.write(renderNotice(err, `The tuned kernels could not be kept: ${messageOf(error)}`));
    }
  }
  if (left.length > 0) fact += `; ${counted(left.length, "kind")} left for the next run`;
  if (newlyRefused > 0) fact += `; ${counted(newlyRefused, "plan")} refused by the driver`;
  return { plans, refused, fact };
}

/** How many known plans and refusals were taken, and how many were none that the adapter could have. */
export function compared(known: KeptTuning, { plans, refused }: KeptTuning) {
  const names = Object.keys(known.plans);
  const taken = {
    plans: names.filter((name) => known.plans[name] === plans[name]).length,
    refused: known.refused.filter((each) => refused.includes(each)).length,
  };
  const foreign = names.length - taken.plans + known.refused.length - taken.refused;
  return { taken, foreign };
}

const sayIgnored = (err: Output, what: string) =>
  err.write(renderNotice(err, `${what}: that is ignored, and the kernels are tuned anew.`));
