/** A run that the page holds: trained here, or opened from files. */
import type { Dataset } from "../../models/data/load.ts";
import type { NamedTensors } from "../../models/files/run_file.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { Hyperparameters } from "../../models/training/events.ts";
import type { Metrics } from "../../models/training/metrics.ts";

/** What of its data a run tells. */
export interface TrainedOn
  extends Pick<Dataset, "name" | "sample" | "hash" | "textColumn" | "labelColumn" | "given"> {
  /** Of the split. */
  seed: number;
}

export interface Trained {
  /** Unlike any other's on the page. */
  name: string;
  method: Method;
  /** In the order of the classifier's rows. */
  labels: readonly string[];
  /** What was trained, by our names: see `methodParameters`. */
  weights: NamedTensors;
  trainableParameters: number;
  maxLength: number;
  /** Where it comes from, for people: `sample, 5 epochs`, or a file's name. */
  origin: string;
  /** Of a run that was trained here. */
  hyperparameters?: Hyperparameters;
  data?: TrainedOn;
  /** On the test part; of a run that was trained to its end. */
  test?: Metrics;
  steps?: number;
}

/** A name that none of the others has: `lora-r8`, `lora-r8-2`. */
export function freeName(wanted: string, taken: readonly string[]): string {
  if (!taken.includes(wanted)) return wanted;
  for (let number = 2;; number++) {
    const name = `${wanted}-${number}`;
    if (!taken.includes(name)) return name;
  }
}
