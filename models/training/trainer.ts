/** One training run, as a stream of events: steps, evaluations, and at the end the result. */
import type { WeightSource } from "../encoders/weights.ts";
import { createModel } from "../model.ts";
import type { TrainingEvent } from "./events.ts";
import { Run, type RunOptions } from "./run.ts";
import type { TrainState } from "./state.ts";

export interface TrainOptions extends RunOptions {
  weights: WeightSource;
}

/**
 * Trains a method and evaluates after every epoch, or every so many steps; the weights with the best macro F1 (the
 * earlier on a tie) are tested and returned. The same options on the same adapter give the same bits, and so do those
 * and a state `from` which an earlier run of them is to go on. Throws DeviceError where the GPU fails, and a
 * UserError where the loss is no number, or class weights do not fit the labels.
 */
export async function* train(
  options: TrainOptions,
  from?: TrainState,
): AsyncGenerator<TrainingEvent, void> {
  const { device, method, hyperparameters } = options;
  device.trim();
  device.memory.resetPeak();
  const { tunedPlans } = device;
  const built = await createModel(device, {
    ...options,
    classes: options.labels.length,
    seed: hyperparameters.seed,
    frozenDtype: hyperparameters.frozenDtype,
  });
  let run: Run | undefined;
  try {
    run = new Run(options, built);
    const warnings = [...run.warnings(), ...from ? run.restore(from) : []];
    yield {
      type: "start",
      run: run.name,
      method,
      trainableParameters: run.counts.trainable,
      totalParameters: run.counts.total,
      stepsPerEpoch: run.length.stepsPerEpoch,
      totalSteps: run.length.totalSteps,
      warnings,
    };
    yield* run.events();
  } finally {
    device.launcher.submit(); // what was recorded may read what is destroyed now
    run?.destroy();
    built.destroy();
    device.tunedPlans = tunedPlans;
  }
}
