/**
 * Masked words, as Devlin et al. 2018 (arXiv:1810.04805): 15 % of a sentence's tokens, at least one, are to be told; of
 * those 80 % are replaced by [MASK], 10 % by any token, 10 % stay. The head is HF's BertForMaskedLM: dense, GELU,
 * LayerNorm, and a decoder whose weight is the table of word embeddings.
 */
import { crossEntropy, embedding, linear as multiply } from "../../engine/ops/mod.ts";
import { rowIndices } from "../../engine/ops/embedding.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import { packBatch } from "../nn/batch.ts";
import { layerNorm, linear } from "../nn/layers.ts";
import type { Initializer } from "../nn/scope.ts";
import type { Objective, Sentence } from "./objective.ts";

const maskedShare = 0.15;

export interface MlmOptions {
  sentences: readonly Sentence[];
  /** The id of [MASK]. */
  maskId: number;
  vocabSize: number;
}

/** A sentence with some tokens replaced, and which: their places in it and what they were. */
export interface MaskedSentence {
  ids: number[];
  places: number[];
  labels: number[];
}

/** Masks a sentence, the first and the last token, [CLS] and [SEP], never. There must be one between them. */
export function maskSentence(
  sentence: Sentence,
  random: HostRandom,
  { maskId, vocabSize }: Pick<MlmOptions, "maskId" | "vocabSize">,
): MaskedSentence {
  const between = Array.from({ length: sentence.length - 2 }, (_, i) => i + 1);
  const count = Math.max(1, Math.round(maskedShare * between.length));
  const places = random.shuffle(between).slice(0, count).sort((a, b) => a - b);
  const ids = [...sentence];
  for (const place of places) {
    const draw = random.uniform();
    if (draw < 0.8) ids[place] = maskId;
    else if (draw < 0.9) ids[place] = random.integer(vocabSize);
  }
  return { ids, places, labels: places.map((place) => sentence[place]) };
}

/** The objective over sentences. */
export function mlm({ sentences, maskId, vocabSize }: MlmOptions): Objective {
  return {
    name: "mlm",
    scores: [
      { name: "masked_loss", label: "loss of the masked words", from: (loss) => loss },
    ],
    dropout: true,
    keepsHead: true,
    sentences,
    describe(scope, _encoder, { hiddenSize, layerNormEps, initializerRange }) {
      const init: Initializer = { kind: "normal", std: initializerRange };
      const head = scope.as("head").at("cls").at("predictions");
      const transform = head.at("transform");
      const dense = linear(transform.at("dense"), {
        outputs: hiddenSize,
        inputs: hiddenSize,
        part: "head",
        init,
      });
      const norm = layerNorm(transform.at("LayerNorm"), hiddenSize, layerNormEps);
      const bias = head.tensor("bias", [vocabSize], { init: { kind: "zeros" }, kind: "bias" });
      const words = scope.at("bert").as("embedding").at("embeddings").at("word_embeddings")
        .tensor("weight", [vocabSize, hiddenSize], { init, kind: "table" });
      return (numbers, { device, limits, seed, stream }) => {
        const random = new HostRandom(seed, domains.masking, stream);
        const masked = numbers.map((number) =>
          maskSentence(sentences[number], random, { maskId, vocabSize })
        );
        const packed = packBatch(
          device,
          masked.map(({ ids }) => ids),
          numbers.map(() => 0),
          limits,
        );
        let first = 0;
        const rows = masked.flatMap(({ ids, places }) => {
          const found = places.map((place) => first + place);
          first += ids.length;
          return found;
        });
        const { indices: [index], others: [labels] } = rowIndices(
          device,
          [Uint32Array.from(rows)],
          [{
            shape: [rows.length],
            data: Uint32Array.from(masked.flatMap(({ labels }) => labels)),
          }],
        );
        return {
          packed,
          key: `${packed.key},${rows.length},${labels.storage.id}`,
          count: rows.length,
          losses(hidden) {
            const told = norm(dense(embedding(hidden, index), { gelu: true }));
            return [crossEntropy(multiply(told, { weight: words(), bias: bias() }), labels)];
          },
        };
      };
    },
  };
}
