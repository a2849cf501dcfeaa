/** The encoders, by HF's `model_type`, and what is known of one from its description alone. */
import { UserError } from "../errors.ts";
import { isObject, shown } from "../files/json.ts";
import type { Network } from "../nn/network.ts";
import { type ModelContext, type ParameterSpec, Scope } from "../nn/scope.ts";
import { type LinearSite, noWrapping, type Wrapping } from "../nn/wrapping.ts";
import type { InputLimits } from "../nn/batch.ts";
import { bert } from "./bert.ts";
import { ConfigReader, type EncoderConfig, maxTokens } from "./config.ts";
import { distilbert } from "./distilbert.ts";
import type { Encoder } from "./encoder.ts";
import { roberta } from "./roberta.ts";

export type { EncoderConfig } from "./config.ts";
export { maxTokens } from "./config.ts";
export { bertBaseUncased } from "./bert.ts";

const encoders: readonly Encoder[] = [bert, roberta, distilbert];

/** The encoder of a config. */
export function encoderOf({ type }: Pick<EncoderConfig, "type">): Encoder {
  const encoder = encoders.find((each) => each.type === type);
  if (!encoder) throw new Error(`There is no encoder "${type}".`);
  return encoder;
}

/** The owner on the hub of a checkpoint that goes by a name alone; undefined for an unknown one. */
export function hubOwner(name: string): string | undefined {
  const owners = encoders.flatMap((encoder) => Object.entries(encoder.owners));
  return owners.find(([beginning]) => name.startsWith(beginning))?.[1];
}

/** The encoder that a config.json is of. Throws a UserError where it is none that is described here. */
function encoderNamed(fields: ConfigReader): Encoder {
  const type = fields.raw("model_type");
  if (type === undefined || type === null) return withoutType(fields);
  const encoder = encoders.find((each) => each.type === type);
  if (encoder) return encoder;
  const supported = encoders.map(({ type, examples }) => `"${type}" (${examples})`);
  throw new UserError(
    `${fields.file}: "model_type" is ${shown(type)}; supported are ${supported.join(", ")}.`,
  );
}

/** The first configs of BERT have no `model_type`; what names another's class is not taken for one. */
function withoutType(fields: ConfigReader): Encoder {
  const named = fields.raw("architectures");
  const classes = Array.isArray(named) ? named.map(String) : [];
  const other = classes.find((name) => !/^Bert(Model|For|LMHead)/.test(name));
  if (other === undefined) return bert;
  const encoder = encoders.find(({ architecture }) =>
    architecture.startsWith(other.replace(/(Model|For)[A-Z].*$|Model$/, "") + "For")
  );
  throw new UserError(
    `${fields.file} has no "model_type", and "architectures" names ${other}, which is no BERT` +
      (encoder ? `. Add "model_type": "${encoder.type}" to it.` : " and not supported."),
  );
}

/**
 * Reads HF's `config.json`. Throws a UserError, naming the field and the file, where the file is of no encoder
 * that is described here, or asks for what the engine does not compute.
 */
export function parseConfig(json: unknown, file = "config.json"): EncoderConfig {
  const fields = new ConfigReader(json, file);
  const encoder = encoderNamed(fields);
  fields.only("is_decoder", false);
  fields.without("add_cross_attention", "a decoder's attention to an encoder");
  fields.only("is_encoder_decoder", false);
  fields.without("pruned_heads", "layers with fewer heads than the others");
  fields.without("quantization_config", "weights that are not kept as plain numbers");
  const custom = fields.raw("auto_map");
  const models = isObject(custom) ? Object.keys(custom).filter((x) => x !== "AutoTokenizer") : [];
  if (models.length > 0) fields.without("auto_map", "a model computed by Python code of its own");
  const config = encoder.parse(fields);
  const longest = maxTokens(config);
  if (longest < 3) {
    throw new UserError(
      `${file}: with "max_position_embeddings" ${config.maxPositions} a text has ${longest} ` +
        `tokens; it needs the first, the last and one between.`,
    );
  }
  return config;
}

/** What a batch for the encoder and a classifier of so many classes may hold. */
export function inputLimits(config: EncoderConfig, classes: number): InputLimits {
  const { vocabSize, firstPosition } = config;
  return { vocabSize, firstPosition, maxTokens: maxTokens(config), classes };
}

/**
 * Runs an encoder's description to find out what it has: its tensors, the method's last, and the linear
 * layers that a method may change.
 */
export function declareModel(
  config: EncoderConfig,
  classes: number,
  wrapping: Wrapping = noWrapping,
): { specs: ParameterSpec[]; linears: LinearSite[] } {
  const linears: LinearSite[] = [];
  const context: ModelContext = {
    specs: new Map(),
    mode: { training: false },
    wrapping: {
      ...wrapping,
      linear(site) {
        if (!linears.some(({ scope }) => scope.name === site.scope.name)) linears.push(site);
        return wrapping.linear?.(site);
      },
    },
  };
  encoderOf(config).describe(new Scope(context), config, classes);
  const all = [...context.specs.values()];
  const added = (spec: ParameterSpec) => spec.role === "peft";
  return { specs: [...all.filter((spec) => !added(spec)), ...all.filter(added)], linears };
}

/** Runs it again over the tensors. */
export function bindModel(
  config: EncoderConfig,
  classes: number,
  context: Omit<ModelContext, "specs">,
): Network {
  return encoderOf(config).describe(new Scope({ ...context, specs: new Map() }), config, classes);
}
