/**
 * Distillation of a sentence encoder: the student's pooled vector must give the teacher's sentence vector through one
 * linear map, and its mean-pooled hidden states through another; both maps are thrown away. The loss is one minus the
 * cosine, of either. What is distilled into the pooled vector is there for methods that leave the pooler frozen.
 */
import { cosineLoss, embedding, meanPool } from "../../engine/ops/mod.ts";
import { upload } from "../../engine/tensor.ts";
import { packBatch } from "../nn/batch.ts";
import { linear } from "../nn/layers.ts";
import type { Objective, Sentence } from "./objective.ts";
import { packedRows } from "./rows.ts";

export interface DistilOptions {
  sentences: readonly Sentence[];
  /** The teacher's, [sentences, width]. */
  vectors: Float32Array;
}

/**
 * The objective over sentences and the teacher's vectors of them. Dropout is off: the targets are no noisy labels, and a
 * small student sees each sentence a few times only.
 */
export function distil({ sentences, vectors }: DistilOptions): Objective {
  const width = vectors.length / sentences.length;
  const cosine = (loss: number) => 1 - loss;
  return {
    name: "distil",
    scores: [
      { name: "pooled_cosine", label: "cosine of the pooled vector", from: cosine },
      { name: "mean_cosine", label: "cosine of the mean", from: cosine },
    ],
    dropout: false,
    keepsHead: false,
    sentences,
    describe(scope, { pool }, { hiddenSize, initializerRange }) {
      const head = scope.as("head").at("distil");
      const map = (name: string) =>
        linear(head.at(name), {
          outputs: width,
          inputs: hiddenSize,
          part: "head",
          init: { kind: "normal", std: initializerRange },
        });
      const [fromPooled, fromMean] = [map("pooled"), map("mean")];
      return (numbers, { device, limits }) => {
        const packed = packBatch(
          device,
          numbers.map((number) => sentences[number]),
          numbers.map(() => 0),
          limits,
        );
        const values = new Float32Array(numbers.length * width);
        numbers.forEach((number, row) => {
          values.set(vectors.subarray(number * width, (number + 1) * width), row * width);
        });
        const targets = upload(device, [numbers.length, width], values);
        return {
          packed,
          key: `${packed.key},${targets.storage.id}`,
          count: numbers.length,
          losses: (hidden) => [
            cosineLoss(fromPooled(pool(embedding(hidden, packed.firstTokens))), targets),
            cosineLoss(fromMean(meanPool(hidden, packedRows(packed))), targets),
          ],
        };
      };
    },
  };
}
