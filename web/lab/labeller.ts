/** Trained runs on the GPU over one base, ready to label a text: each has what it trained for its own. */
import type { Device } from "../../engine/device.ts";
import { maxTokens } from "../../models/encoders/config.ts";
import { trainedWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { createModel, type MethodModel } from "../../models/model.ts";
import { baseSeed } from "../../models/peft/export.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { definitionOf, type Method } from "../../models/peft/methods.ts";
import type { NamedTensors } from "../../models/files/run_file.ts";
import { predict, softmax } from "../../models/training/evaluate.ts";
import type { Base } from "./base.ts";
import type { Trained } from "./trained.ts";

/** What is asked for a label. */
export type Labelling = Pick<Trained, "name" | "method" | "labels" | "weights" | "maxLength">;

export interface Labelled {
  /** Of each label, in the run's order. */
  probabilities: Float64Array;
  logits: Float32Array;
  /** Token ids of the text, special ones included. */
  tokens: number;
  milliseconds: number;
}

/**
 * The base with a classifier that has learnt nothing: what a training starts from. LoRA's B is 0 there, so that rank 1
 * is the base itself.
 */
export function untrained(labels: readonly string[]): Labelling {
  return {
    name: "untrained",
    method: loraDefaults(1),
    labels,
    weights: new Map(),
    maxLength: 512,
  };
}

/** Builds a model of trained weights over the base, whose frozen weights it shares. The caller destroys it. */
async function placeModel(
  device: Device,
  base: Base,
  { method, labels, weights }: { method: Method; labels: readonly string[]; weights: NamedTensors },
): Promise<MethodModel> {
  const whole = definitionOf(method).trainsAll;
  const source: WeightSource = trainedWeights(weights, await base.open(labels));
  try {
    return await createModel(device, {
      config: base.config,
      method,
      classes: labels.length,
      weights: source,
      seed: baseSeed,
      base: whole ? undefined : await base.frozen(device),
    });
  } finally {
    source.close();
  }
}

export class Labeller {
  readonly #device: Device;
  readonly #base: Base;
  readonly #placed = new Map<Labelling, Promise<MethodModel>>();

  constructor(device: Device, base: Base) {
    this.#device = device;
    this.#base = base;
  }

  /** Labels a text by a run, which is put on the GPU when it is first asked. */
  async label(run: Labelling, text: string): Promise<Labelled> {
    let placing = this.#placed.get(run);
    if (!placing) {
      placing = placeModel(this.#device, this.#base, run);
      this.#placed.set(run, placing);
      placing.catch(() => this.#placed.delete(run));
    }
    const built = await placing;
    const ids = this.#base.tokenizer.encode(
      text,
      Math.min(run.maxLength, maxTokens(this.#base.config)),
    );
    const started = performance.now();
    const sizes = { classes: run.labels.length, batchSize: 1 };
    const logits = await predict(this.#device, built, [{ ids, label: 0 }], sizes);
    const milliseconds = performance.now() - started;
    return { probabilities: softmax(logits), logits, tokens: ids.length, milliseconds };
  }

  /** Takes all runs off the GPU. */
  async close(): Promise<void> {
    await Promise.all([...this.#placed.keys()].map((run) => this.drop(run)));
  }

  /** Takes a run off the GPU. */
  async drop(run: Labelling): Promise<void> {
    const placing = this.#placed.get(run);
    this.#placed.delete(run);
    (await placing?.catch(() => undefined))?.destroy(); // what was not placed is not there
  }
}
