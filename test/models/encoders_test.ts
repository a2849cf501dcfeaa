/** Which encoders' config.json is read, and what is said of the others. */
import assert from "node:assert/strict";
import { workgroupSizes } from "../../kernels/attention.ts";
import { noGrad } from "../../engine/tape.ts";
import {
  declareModel,
  type EncoderConfig,
  encoderOf,
  hubOwner,
  inputLimits,
  maxTokens,
  parseConfig,
} from "../../models/encoders/mod.ts";
import { randomWeights } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { createModel } from "../../models/model.ts";
import { packBatch } from "../../models/nn/batch.ts";
import { testDevice } from "./device.ts";

function refuses(fields: unknown, message: RegExp): void {
  assert.throws(() => parseConfig(fields, "a/config.json"), (error) => {
    assert(error instanceof UserError, String(error));
    assert.match(error.message, message);
    return true;
  });
}

/** The config.json of checkpoints on the hub, as far as it matters. */
const bert = {
  model_type: "bert",
  vocab_size: 30522,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: "gelu",
};
const robertaBase = {
  ...bert,
  model_type: "roberta",
  vocab_size: 50265,
  max_position_embeddings: 514,
  type_vocab_size: 1,
  layer_norm_eps: 1e-5,
  pad_token_id: 1,
};
const distilbertBaseUncased = {
  model_type: "distilbert",
  activation: "gelu",
  attention_dropout: 0.1,
  dim: 768,
  dropout: 0.1,
  hidden_dim: 3072,
  initializer_range: 0.02,
  max_position_embeddings: 512,
  n_heads: 12,
  n_layers: 6,
  pad_token_id: 0,
  qa_dropout: 0.1,
  seq_classif_dropout: 0.2,
  sinusoidal_pos_embds: false,
  tie_weights_: true,
  vocab_size: 30522,
};

const supported =
  /; supported are "bert" \(bert-base.*\), "roberta" \(roberta-base.*\), "distilbert" \(distilbert-base/;

for (const type of ["electra", "modernbert", "xlm-roberta", "albert"]) {
  Deno.test(`${type} is refused by a sentence that names what is supported`, () => {
    refuses({ ...bert, model_type: type }, supported);
    refuses({ ...bert, model_type: type }, new RegExp(`^a/config.json: "model_type" is "${type}"`));
  });
}

Deno.test("what the engine does not compute, or what is no config, is refused by its field", () => {
  refuses([], /^a\/config\.json is not a JSON object/);
  refuses({ model_type: 3 }, /"model_type" is 3; supported are/);
  refuses({ ...bert, hidden_act: "relu" }, /"hidden_act" is "relu"; only "gelu" is supported/);
  refuses({ ...bert, is_decoder: true }, /"is_decoder" is true; only false is supported/);
  refuses(
    { ...bert, quantization_config: { quant_method: "gptq" } },
    /has "quantization_config" \{"quant_method":"gptq"\}: .* not supported/,
  );
  refuses(
    { ...robertaBase, position_embedding_type: "relative_key" },
    /"position_embedding_type" is "relative_key"; only "absolute" is supported/,
  );
  refuses({ ...distilbertBaseUncased, activation: "relu" }, /"activation" is "relu"; only "gelu"/);
  refuses(
    { ...distilbertBaseUncased, sinusoidal_pos_embds: true },
    /^a\/config\.json: "sinusoidal_pos_embds" is true; only false is supported/,
  );
  refuses(
    { ...bert, hidden_size: undefined },
    /"hidden_size" should be a number, but is missing/,
  );
  for (const dropout of [1, 1.5]) {
    refuses(
      { ...bert, hidden_dropout_prob: dropout },
      new RegExp(`"hidden_dropout_prob" should be a dropout from 0 to below 1, but is ${dropout}`),
    );
  }
  for (
    const [config, field] of [
      [bert, "attention_probs_dropout_prob"],
      [robertaBase, "classifier_dropout"],
      [distilbertBaseUncased, "seq_classif_dropout"],
      [bert, "layer_norm_eps"],
      [bert, "initializer_range"],
    ] as const
  ) {
    for (const value of [-0.5, 1.5]) {
      refuses(
        { ...config, [field]: value },
        new RegExp(`"${field}" should be .*from 0 to .*1, but is ${value}`),
      );
    }
  }
  refuses({ ...bert, num_hidden_layers: 1e9 }, /asks for 1000000000 layers; at most 1000/);
  refuses({ ...bert, vocab_size: 1e308 }, /"vocab_size" should be a positive whole .* 1e\+308/);
  refuses({ ...bert, vocab_size: Infinity }, /"vocab_size" should be a number, but is Infinity/);
  refuses({ ...bert, max_position_embeddings: 2 }, /"max_position_embeddings" 2 a text has 2 tok/);
  refuses({ ...bert, num_hidden_layers: 0 }, /"num_hidden_layers" should be a positive whole .* 0/);
  refuses(
    { ...distilbertBaseUncased, n_layers: 1.5 },
    /"n_layers" should be a positive whole .*1\.5/,
  );
  refuses(
    { ...robertaBase, layer_norm_eps: "x" },
    /"layer_norm_eps" should be a number, but is "x"/,
  );
});

Deno.test("other models under a known type, or under none, are refused by what tells them", () => {
  refuses({ ...bert, add_cross_attention: true }, /has "add_cross_attention" true: a decoder's/);
  refuses({ ...bert, pruned_heads: { 0: [1] } }, /has "pruned_heads" \{"0":\[1\]\}: .*fewer heads/);
  const auto_map = { AutoModel: "modeling_own.OwnModel" };
  refuses({ ...bert, auto_map }, /has "auto_map" .*OwnModel.*: a model computed by Python code/);
  for (
    const fields of [
      { pruned_heads: {}, is_decoder: null, add_cross_attention: false, quantization_config: null },
      { auto_map: { AutoTokenizer: ["own.OwnTokenizer", null] } },
    ]
  ) assert.equal(parseConfig({ ...bert, ...fields }).layers, 12);

  const { model_type: _, ...untyped } = bert;
  for (const name of ["RobertaModel", "RobertaForMaskedLM"]) {
    refuses(
      { ...untyped, architectures: [name] },
      new RegExp(`no "model_type", and "architectures" names ${name}, .*"model_type": "roberta"`),
    );
  }
  refuses({ ...untyped, architectures: ["DistilBertModel"] }, /Add "model_type": "distilbert"/);
  refuses({ ...untyped, architectures: ["BertGenerationEncoder"] }, /Encoder, .*not supported/);
  refuses({ ...untyped, architectures: ["XLNetModel"] }, /names XLNetModel, .* not supported/);
  for (const name of ["BertModel", "BertForMaskedLM", "BertLMHeadModel"]) {
    assert.equal(parseConfig({ ...untyped, architectures: [name] }).type, "bert");
  }
});

Deno.test("RoBERTa's table of positions must reach beyond the padding id", () => {
  for (const id of [-1, 0.5]) {
    refuses(
      { ...robertaBase, pad_token_id: id },
      new RegExp(`"pad_token_id" should be a whole number of at least 0, but is ${id}`),
    );
  }
  refuses({ ...robertaBase, pad_token_id: "1" }, /"pad_token_id" should be a number, but is "1"/);
  const short = { ...robertaBase, max_position_embeddings: 2 };
  refuses(
    short,
    /"max_position_embeddings" is 2; .* "pad_token_id" \+ 1 = 2, .* at least 3/,
  );
  refuses({ ...short, max_position_embeddings: 4 }, /a text has 2 tokens/);
  assert.equal(maxTokens(parseConfig({ ...short, max_position_embeddings: 5 })), 3);
  assert.equal(parseConfig({ ...robertaBase, pad_token_id: 0 }).firstPosition, 1);
  assert.equal(parseConfig({ ...robertaBase, pad_token_id: null }).firstPosition, 2);
});

Deno.test("heads must divide the hidden size, and 4 too, and be computed by a kernel", () => {
  refuses(
    { ...bert, num_attention_heads: 2 },
    /heads of 384 values \(a hidden size of 768 by 2\); at most 360/,
  );
  parseConfig({ ...bert, hidden_size: 720, num_attention_heads: 2 });
  for (let size = 4; size <= 360; size += 4) workgroupSizes(size);
  refuses({ ...bert, num_attention_heads: 5 }, /a hidden size of 768 does not divide into 5 heads/);
  refuses({ ...robertaBase, num_attention_heads: 7 }, /768 does not divide into 7 heads/);
  refuses({ ...distilbertBaseUncased, n_heads: 9 }, /768 does not divide into 9 heads/);
  refuses(
    { ...bert, hidden_size: 26, num_attention_heads: 2 },
    /a hidden size of 26 is no multiple/,
  );
});

Deno.test("a config.json without a model_type is BERT's, such as TinyBERT's with heads of 26", async () => {
  const tiny = parseConfig({
    attention_probs_dropout_prob: 0.1,
    cell: {},
    emb_size: 312,
    hidden_act: "gelu",
    hidden_dropout_prob: 0.1,
    hidden_size: 312,
    initializer_range: 0.02,
    intermediate_size: 1200,
    max_position_embeddings: 512,
    num_attention_heads: 12,
    num_hidden_layers: 4,
    pre_trained: "",
    structure: [],
    type_vocab_size: 2,
    vocab_size: 30522,
  });
  assert.equal(tiny.type, "bert");
  assert.equal(tiny.hiddenSize / tiny.heads, 26);

  const config = { ...tiny, vocabSize: 10, layers: 1, intermediateSize: 8, maxPositions: 6 };
  const device = await testDevice();
  const options = { config, method: { method: "full" }, classes: 3, seed: 1 } as const;
  const built = await createModel(device, { ...options, weights: randomWeights("a test") });
  device.beginStep(0, 0);
  const batch = packBatch(
    device,
    [[2, 5, 3], [2, 3]],
    [0, 1],
    inputLimits(config, options.classes),
  );
  const logits = await noGrad(() => built.model.logits(batch)).read();
  device.endStep();
  built.destroy();
  assert.equal(logits.length, 6);
  assert(logits.every((value) => Number.isFinite(value) && value !== 0), `${logits}`);
});

Deno.test("sizes and positions are those of the checkpoints", () => {
  const count = (config: EncoderConfig, role?: string) =>
    declareModel(config, 2).specs.filter((spec) => role === undefined || spec.role === role)
      .reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b), 0);
  const base = parseConfig(bert);
  const roberta = parseConfig(robertaBase);
  const distilbert = parseConfig(distilbertBaseUncased);
  assert.equal(maxTokens(base), 512);
  assert.equal(maxTokens(roberta), 512);
  assert.equal(roberta.firstPosition, 2);
  assert.equal(maxTokens(distilbert), 512);
  // num_parameters() of transformers' classifiers of two classes
  assert.equal(count(base), 109_483_778);
  assert.equal(count(roberta), 124_647_170);
  assert.equal(count(distilbert), 66_955_010);
  assert.equal(count(base, "pooler"), 768 * 769);
  assert.equal(count(roberta, "head"), 768 * 769 + 2 * 769);
  assert.equal(count(distilbert, "head"), 768 * 769 + 2 * 769);
});

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

Deno.test("names without an owner are those that the hub moved", () => {
  const owners = {
    "bert-base-uncased": "google-bert",
    "bert-large-cased": "google-bert",
    "roberta-base": "FacebookAI",
    "distilroberta-base": "distilbert",
    "distilbert-base-uncased": "distilbert",
    "electra-small": undefined,
    "my-bert-base": undefined,
    "mini": undefined,
  };
  for (const [name, owner] of Object.entries(owners)) assert.equal(hubOwner(name), owner, name);
});
