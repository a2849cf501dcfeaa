/** A small task that can be learnt: words of a class's own among common ones. */
import assert from "node:assert/strict";
import type { Device } from "../../engine/device.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import { type EncoderConfig, parseConfig } from "../../models/encoders/mod.ts";
import { randomWeights, type WeightSource } from "../../models/encoders/weights.ts";
import type { Example } from "../../models/data/clean.ts";
import type { Split } from "../../models/data/split.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import {
  defaultHyperparameters,
  type Hyperparameters,
  type StepEvent,
  type TrainingEvent,
  type TrainingResult,
} from "../../models/training/events.ts";
import type { Ranks } from "../../models/training/ranks.ts";
import type { TrainState } from "../../models/training/state.ts";
import { train } from "../../models/training/trainer.ts";
import { testDevice } from "../models/device.ts";

/** Two layers, with dropout. */
export const config = parseConfig({
  vocab_size: 40,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
  max_position_embeddings: 16,
  initializer_range: 0.2,
});
const labels = ["a", "b", "c"];

/** One of each kind, by its name in tests. */
export const methods: Record<string, Method> = {
  full: { method: "full" },
  lora: loraDefaults(4),
  dora: { ...loraDefaults(4), useDora: true },
  adapter: { method: "adapter", size: 8, placement: "shared" },
};

/** Sentences of ids as text: [CLS], common words, words of the class, [SEP]. */
function examples(count: number, stream: number): Example[] {
  const random = new HostRandom(7, domains.sample, stream);
  return Array.from({ length: count }, (_, index) => {
    const label = index % labels.length;
    const words = Array.from({ length: 2 + random.integer(8) }, () => 4 + random.integer(20));
    words.splice(random.integer(words.length), 0, 30 + 3 * label + random.integer(3));
    return { text: `2 ${words.join(" ")} 3`, label };
  });
}

export const task: Split = {
  train: examples(90, 1),
  validation: examples(30, 2),
  test: examples(30, 3),
};
const settings: Hyperparameters = {
  ...defaultHyperparameters,
  learningRate: 5e-3,
  epochs: 2,
  warmupSteps: 4,
};

export interface RunChanges {
  config?: Partial<EncoderConfig>;
  gradientCheckpointing?: boolean;
  /** Where the model starts; at random unless given. */
  weights?: WeightSource;
  /** The tests' common one unless given. */
  device?: Device;
  /** Where the run goes on. */
  from?: TrainState;
  checkpointSteps?: number;
  stopRequested?: () => boolean;
  /** The task's unless given. */
  split?: Split;
  encode?: (text: string) => number[];
  ranks?: Ranks;
}

/** The events of training a method on the task. */
export async function start(
  method: Method,
  changes: Partial<Hyperparameters> = {},
  { config: configChanges, weights, device, from, ...rest }: RunChanges = {},
): Promise<AsyncGenerator<TrainingEvent, void>> {
  return train({
    device: device ?? await testDevice(),
    config: { ...config, ...configChanges },
    method,
    labels,
    weights: weights ?? randomWeights("a test"),
    encode: (text) => text.split(" ").map(Number),
    split: task,
    hyperparameters: { ...settings, ...changes },
    ...rest,
  }, from);
}

/** Trains a method on the task, to the end. */
export async function run(
  method: Method,
  changes: Partial<Hyperparameters> = {},
  options: RunChanges = {},
) {
  const events: TrainingEvent[] = [];
  for await (const event of await start(method, changes, options)) events.push(event);
  const steps = events.filter((event): event is StepEvent => event.type === "step");
  const last = events.at(-1);
  assert.ok(last?.type === "done");
  return { events, steps, result: last.result };
}

/** The trained weights, bit for bit. */
export const bits = ({ weights }: TrainingResult) =>
  [...weights].map(([name, { data }]) => `${name} ${new Uint32Array(data.buffer).join()}`);
