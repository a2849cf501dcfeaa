/** Starts a training of an experiment: a run, or a trial of one. */
import type { WeightSource } from "../../models/encoders/weights.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { Hyperparameters, TrainingEvent } from "../../models/training/events.ts";
import type { TrainState } from "../../models/training/state.ts";
import type { Shared } from "./one_run.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";

/** What one training has of its own; `from` is the state to go on from. */
export interface Training {
  run: string;
  method: Method;
  hyperparameters: Hyperparameters;
  weights: WeightSource;
  checkpointSteps?: number;
  from?: TrainState;
}

/** Its events, on what the experiment shares; asked to stop where the session is. */
export function startTraining<Device extends DeviceHandle>(
  { run, method, hyperparameters, weights, checkpointSteps, from }: Training,
  { model, dataset, split, tokenizer, device, session, gradientCheckpointing }: Shared<Device>,
  tools: TrainingTools<Device>,
): AsyncGenerator<TrainingEvent> {
  return tools.train({
    run,
    config: model.config,
    method,
    labels: dataset.labels,
    weights,
    encode: (text) => tokenizer.encode(text, hyperparameters.maxLength),
    split,
    hyperparameters,
    gradientCheckpointing,
    checkpointSteps,
    stopRequested: () => session.stop !== undefined,
    device,
  }, from);
}
