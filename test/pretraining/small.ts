/** A tiny student, and sentences that a teacher which knows their words tells apart. */
import assert from "node:assert/strict";
import { domains, HostRandom } from "../../engine/random.ts";
import { parseConfig } from "../../models/encoders/mod.ts";
import { distil } from "../../models/pretraining/distil.ts";
import {
  defaultSettings,
  type PretrainEvent,
  type PretrainSettings,
  type PretrainState,
} from "../../models/pretraining/events.ts";
import { mlm } from "../../models/pretraining/mlm.ts";
import type { Objective, Sentence } from "../../models/pretraining/objective.ts";
import { pretrain, type PretrainOptions } from "../../models/pretraining/run.ts";
import { testDevice } from "../models/device.ts";

/** One layer, with dropout. */
export const config = parseConfig({
  vocab_size: 40,
  hidden_size: 16,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 16,
  initializer_range: 0.2,
});

const width = 8;

/** Of 3 to 8 words between 2 and 3; the words of a sentence follow one another. */
export const sentences: Sentence[] = Array.from({ length: 60 }, (_, index) => {
  const random = new HostRandom(5, domains.sample, index);
  const first = random.integer(30);
  const words = Array.from({ length: 3 + random.integer(6) }, (_, i) => 5 + (first + i) % 35);
  return [2, ...words, 3];
});

/** The mean of vectors that the words have. */
const vectors = Float32Array.from(
  sentences.flatMap((sentence) =>
    Array.from(
      { length: width },
      (_, at) =>
        sentence.reduce((sum, word) => sum + Math.sin(word * (at + 1)), 0) / sentence.length,
    )
  ),
);

export const objectives: Record<"distil" | "mlm", Objective> = {
  distil: distil({ sentences, vectors }),
  mlm: mlm({ sentences, maskId: 4, vocabSize: config.vocabSize }),
};

export const settings: PretrainSettings = {
  ...defaultSettings,
  learningRate: 1e-2,
  batchSize: 8,
  epochs: 3,
  maxLength: 16,
};

/** The events of a pretraining, to the end or to the first for which `until` holds. */
export async function run(
  objective: Objective,
  changes: Partial<PretrainOptions> = {},
  from?: PretrainState,
): Promise<PretrainEvent[]> {
  const device = await testDevice();
  const texts = sentences.map((sentence) => sentence.join(" "));
  const options = { device, config, objective, settings, texts, hash: "0", ...changes };
  return await Array.fromAsync(pretrain(options, from));
}

/** The result with which a run ends. */
export function resultOf(events: readonly PretrainEvent[]) {
  const last = events.at(-1);
  assert.ok(last?.type === "done");
  return last.result;
}

export const lossesOf = (events: readonly PretrainEvent[]) =>
  events.flatMap((event) => event.type === "step" ? [event.loss] : []);
