/**
 * One training on all ranks. Each computes the same events. Rank 0's have a consumer, which may leave at some of them,
 * such as a checkpoint to stop at: there the others wait to be told whether it went on.
 */
import type { TrainingEvent } from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import type { Loaded } from "../train/load.ts";
import type { DeviceHandle, TrainingTools } from "../train/tools.ts";
import { isDivergence } from "../train/tuned_rate.ts";
import type { KeptTuning } from "../train/tuning_cache.ts";
import type { Communicator } from "./communicator.ts";
import { type SharedTraining, shareState, tell, type TrainOptions } from "./messages.ts";

const mayLeave = (event: TrainingEvent) =>
  event.type === "evaluation" || event.type === "checkpoint";
const [left, wentOn] = [0, 1].map((word) => Uint8Array.of(word));

/** Rank 0's training. Tells `onTogether` once the others have ended it, too. */
export async function* leadTraining<Device extends DeviceHandle>(
  ranks: Communicator,
  tools: TrainingTools<Device>,
  options: TrainOptions<Device>,
  { tuning, from, onTogether }: {
    tuning: KeptTuning;
    from: TrainState | undefined;
    onTogether(): void;
  },
): AsyncGenerator<TrainingEvent> {
  const { run, method, hyperparameters, gradientCheckpointing, checkpointSteps } = options;
  const shared = { run, method, hyperparameters, gradientCheckpointing, checkpointSteps };
  const training = { ...shared, tuning: { ...tuning, key: tools.tuningKey(options.device) } };
  tell(ranks, { kind: "train", training, goesOn: from !== undefined });
  if (from) await shareState(ranks, from);
  let othersWait = false;
  try {
    for await (const event of tools.train({ ...options, ranks }, from)) {
      othersWait = mayLeave(event);
      if (event.type === "done") onTogether(); // the last one
      yield event;
      if (othersWait) ranks.broadcast(wentOn);
      othersWait = false;
    }
  } catch (error) {
    if (isDivergence(error)) onTogether(); // all ranks have the same loss
    throw error;
  } finally {
    if (othersWait) {
      ranks.broadcast(left);
      onTogether();
    }
  }
}

/** The same training on another rank, which keeps nothing of it. */
export async function followTraining<Device extends DeviceHandle>(
  ranks: Communicator,
  tools: TrainingTools<Device>,
  { tuning, ...training }: SharedTraining,
  { loaded, device, goesOn, stopRequested }: {
    loaded: Loaded;
    device: Device;
    goesOn: boolean;
    stopRequested(): boolean;
  },
): Promise<void> {
  const { model, dataset, split, tokenizer } = loaded;
  const from = goesOn ? await shareState(ranks) : undefined;
  if (tuning.key === tools.tuningKey(device)) {
    const known = { known: tuning.plans, refused: tuning.refused, report: () => {} };
    await tools.tuneKernels(device, [], known);
  }
  const weights = await tools.openWeights(model, dataset.labels);
  const { maxLength } = training.hyperparameters;
  try {
    const events = tools.train({
      ...training,
      config: model.config,
      labels: dataset.labels,
      weights,
      encode: (text) => tokenizer.encode(text, maxLength),
      split,
      stopRequested,
      device,
      ranks,
    }, from);
    for await (const event of events) {
      if (mayLeave(event) && ranks.broadcast()[0] === left[0]) return;
    }
  } catch (error) {
    if (!isDivergence(error)) throw error;
  } finally {
    weights.close();
  }
}
