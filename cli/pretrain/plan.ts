/** From flags to a model's config and the settings of its pretraining. */
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { defaultSettings, type PretrainSettings } from "../../models/pretraining/events.ts";
import type { ObjectiveName } from "../../models/pretraining/objective.ts";
import { defaultSizes, type PretrainFlags } from "./flags.ts";

export interface PretrainPlan {
  objective: ObjectiveName;
  /** Of `distil`. */
  teacher?: string;
  settings: PretrainSettings;
  /** All but the number of word embeddings, which the vocabulary decides. */
  sizes: Omit<EncoderConfig, "vocabSize">;
  vocabSize: number;
  /** Sentences on flags that have no effect here. */
  warnings: string[];
}

const wrongUse = (message: string) => new UserError(message, { exitCode: 2 });

/** The width of a head where their number is not given. */
const headSize = 32;

/**
 * BERT-base's weights start at 0.02 for a width of 768; those of another width start so that a row's length is the same.
 */
const initializerRange = (hiddenSize: number) =>
  Number((0.02 * Math.sqrt(768 / hiddenSize)).toPrecision(2));

function sizesOf(flags: PretrainFlags, maxLength: number): PretrainPlan["sizes"] {
  const { layers = defaultSizes.layers, hiddenSize = defaultSizes.hiddenSize } = flags;
  const { heads = Math.max(1, Math.floor(hiddenSize / headSize)), dropout = defaultSizes.dropout } =
    flags;
  const { intermediateSize = 4 * hiddenSize } = flags;
  if (hiddenSize % 4 !== 0 || intermediateSize % 4 !== 0) {
    throw wrongUse(
      `--hidden_size ${hiddenSize} and --intermediate_size ${intermediateSize} must be multiples of 4.`,
    );
  }
  if (hiddenSize % heads !== 0) {
    throw wrongUse(`--hidden_size ${hiddenSize} does not divide into --heads ${heads}.`);
  }
  return {
    type: "bert",
    hiddenSize,
    layers,
    heads,
    intermediateSize,
    maxPositions: Math.max(512, maxLength),
    firstPosition: 0,
    typeVocabSize: 2,
    layerNormEps: 1e-12,
    initializerRange: initializerRange(hiddenSize),
    hiddenDropout: dropout,
    attentionDropout: dropout,
    classifierDropout: dropout,
  };
}

/** The plan that flags ask for. Throws a UserError (wrong use) where they contradict each other, or lack something. */
export function planPretraining(flags: PretrainFlags): PretrainPlan {
  const { objective = "distil", teacher, vocab, vocabSize = defaultSizes.vocabSize } = flags;
  if (flags.text.length === 0) throw wrongUse("Name a file of sentences with --text FILE.");
  if (objective === "distil" && teacher === undefined) {
    throw wrongUse(
      "--objective distil needs a --teacher: a sentence encoder's folder or hub id, such as " +
        "sentence-transformers/all-MiniLM-L6-v2. Without one there is --objective mlm.",
    );
  }
  if (vocab !== undefined && flags.vocabSize !== undefined) {
    throw wrongUse(
      `--vocab ${vocab} has its own size: leave --vocab_size ${flags.vocabSize} out.`,
    );
  }
  const warnings: string[] = [];
  if (objective === "mlm" && teacher !== undefined) {
    warnings.push("--teacher has no effect with --objective mlm.");
  }
  if (flags.maxSteps !== undefined && flags.numEpochs !== undefined) {
    warnings.push(
      "--num_epochs has no effect with --max_steps: epochs repeat until the last step.",
    );
  }
  const settings: PretrainSettings = {
    ...defaultSettings,
    learningRate: flags.learningRate ?? defaultSettings.learningRate,
    batchSize: flags.batchSize ?? defaultSettings.batchSize,
    epochs: (flags.maxSteps === undefined ? flags.numEpochs : undefined) ?? defaultSettings.epochs,
    ...(flags.maxSteps !== undefined && { maxSteps: flags.maxSteps }),
    warmupRatio: flags.warmupRatio ?? defaultSettings.warmupRatio,
    weightDecay: flags.weightDecay ?? defaultSettings.weightDecay,
    maxLength: flags.maxLength ?? defaultSettings.maxLength,
    seed: flags.seed ?? defaultSettings.seed,
  };
  return {
    objective,
    ...(objective === "distil" && { teacher }),
    settings,
    sizes: sizesOf(flags, settings.maxLength),
    vocabSize,
    warnings,
  };
}
