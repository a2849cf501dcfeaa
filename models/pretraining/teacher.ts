/** What a teacher says of sentences: its mean-pooled, normalised hidden states, as sentence-transformers has them. */
import type { Device } from "../../engine/device.ts";
import { meanPool } from "../../engine/ops/mod.ts";
import type { Parameters } from "../../engine/parameters.ts";
import { noGrad } from "../../engine/tape.ts";
import { persistent } from "../../engine/tensor.ts";
import { bindModel, type EncoderConfig, inputLimits } from "../encoders/mod.ts";
import type { WeightSource } from "../encoders/weights.ts";
import { UserError } from "../errors.ts";
import { createBase } from "../model.ts";
import { type InputLimits, packBatch } from "../nn/batch.ts";
import { type Model, modelOf } from "../nn/network.ts";
import { noWrapping } from "../nn/wrapping.ts";
import { packedRows } from "./rows.ts";

/** Tokens that go through the teacher at a time, about. */
const batchTokens = 2048;

/** A sentence's token ids, special ones included. */
export type Sentence = readonly number[];

export class Teacher {
  /** Of its vectors. */
  readonly width: number;
  readonly #device: Device;
  readonly #parameters: Parameters;
  readonly #model: Model;
  readonly #limits: InputLimits;

  /** Puts an encoder on the GPU, frozen. Throws where the weights are not its own, or the GPU has no room. */
  static async open(
    device: Device,
    config: EncoderConfig,
    weights: WeightSource,
  ): Promise<Teacher> {
    return new Teacher(device, config, await createBase(device, { config, weights }));
  }

  private constructor(device: Device, config: EncoderConfig, parameters: Parameters) {
    const mode = { training: false };
    const network = bindModel(config, 2, { parameters, mode, wrapping: noWrapping });
    this.width = config.hiddenSize;
    this.#device = device;
    this.#parameters = parameters;
    this.#model = modelOf(device, network, mode);
    this.#limits = inputLimits(config, 1);
  }

  /**
   * Vectors [sentences, width] of length 1, in the order of the sentences; undefined where `stopped`, which is asked
   * before each batch, says so. Sentences of like length go through together. Waits for the GPU. Throws a UserError
   * where a vector is no number.
   */
  async vectors(
    sentences: readonly Sentence[],
    stopped: () => boolean = () => false,
  ): Promise<Float32Array<ArrayBuffer> | undefined> {
    const { width } = this;
    const device = this.#device;
    const batches = batchesByLength(sentences);
    const pooled = persistent(device, [sentences.length, width], undefined, "teacher's vectors");
    try {
      let first = 0;
      for (const batch of batches) {
        if (stopped()) return undefined;
        device.beginStep(0, 0);
        noGrad(() => {
          const ids = batch.map((sentence) => sentences[sentence]);
          const packed = packBatch(device, ids, batch.map(() => 0), this.#limits);
          const { storage, offset, size } = meanPool(
            this.#model.encode(packed),
            packedRows(packed),
          );
          const start = first * width * 4;
          device.launcher.record((encoder) =>
            encoder.copyBufferToBuffer(
              storage.buffer,
              offset,
              pooled.storage.buffer,
              start,
              size * 4,
            )
          );
        });
        device.endStep();
        await device.finish(); // so that a wish to stop is seen
        first += batch.length;
      }
      const values = await pooled.read();
      const vectors = new Float32Array(values.length);
      batches.flat().forEach((sentence, row) => {
        vectors.set(normalised(values.subarray(row * width, (row + 1) * width)), sentence * width);
      });
      return vectors;
    } finally {
      device.memory.destroy(pooled.storage);
    }
  }

  /** Frees its weights. */
  destroy(): void {
    this.#device.launcher.submit();
    this.#parameters.destroy();
  }
}

/** Places of sentences, the shortest first, cut into batches of about so many tokens. */
function batchesByLength(sentences: readonly Sentence[]): number[][] {
  const order = [...sentences.keys()].sort((a, b) => sentences[a].length - sentences[b].length);
  const batches: number[][] = [];
  let tokens = Infinity;
  for (const sentence of order) {
    const { length } = sentences[sentence];
    if (tokens + length > batchTokens) {
      batches.push([]);
      tokens = 0;
    }
    batches[batches.length - 1].push(sentence);
    tokens += length;
  }
  return batches;
}

function normalised(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  if (!Number.isFinite(length)) {
    throw new UserError("The teacher gives vectors that are no finite numbers: it is damaged.");
  }
  return vector.map((value) => value / Math.max(length, 1e-12));
}
