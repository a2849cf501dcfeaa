import { buildRun, probabilitiesBy } from "../../cli/trained/predictor.ts";
import type { TrainedRun } from "../../cli/trained/run.ts";
import { testDevice } from "../models/device.ts";

/** Probabilities of a run's labels for each sentence of token ids. */
export async function probabilitiesOf(
  run: TrainedRun,
  sentences: readonly (readonly number[])[],
  batchSize: number,
): Promise<Float64Array[]> {
  const device = await testDevice();
  const built = await buildRun(device, run);
  try {
    return await probabilitiesBy(device, run, built, sentences, batchSize);
  } finally {
    built.destroy();
  }
}
