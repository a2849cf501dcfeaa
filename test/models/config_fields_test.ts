/** A config.json is written as it was read, and sizes are those of the checkpoints. */
import assert from "node:assert/strict";
import { type EncoderConfig, encoderOf, parseConfig } from "../../models/encoders/mod.ts";

/** Values that no field has by default, so that one that is not written shows. */
const unusual: Omit<EncoderConfig, "type"> = {
  vocabSize: 99,
  hiddenSize: 24,
  layers: 3,
  heads: 4,
  intermediateSize: 40,
  maxPositions: 50,
  firstPosition: 0,
  typeVocabSize: 5,
  layerNormEps: 1e-3,
  initializerRange: 0.7,
  hiddenDropout: 0.31,
  attentionDropout: 0.32,
  classifierDropout: 0.33,
};
const configs: EncoderConfig[] = [
  { ...unusual, type: "bert" },
  { ...unusual, type: "roberta", firstPosition: 4 },
  // transformers fixes the two for DistilBERT.
  { ...unusual, type: "distilbert", typeVocabSize: 0, layerNormEps: 1e-12 },
];

for (const config of configs) {
  Deno.test(`${config.type}: what is written of a config is read as the same`, () => {
    const { type, fields } = encoderOf(config);
    const same = { ...config, classifierDropout: config.hiddenDropout };
    for (const each of [config, same]) {
      assert.deepEqual(parseConfig({ model_type: type, ...fields(each) }), each);
    }
  });
}
