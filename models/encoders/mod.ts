/** The encoders, by HF's `model_type`, and what is known of one from its description alone. */
import { UserError } from "../errors.ts";
import type { Network } from "../nn/network.ts";
import { type ModelContext, type ParameterSpec, Scope } from "../nn/scope.ts";
import { type LinearSite, noWrapping, type Wrapping } from "../nn/wrapping.ts";
import type { InputLimits } from "../nn/batch.ts";
import { bert } from "./bert.ts";
import { ConfigReader, type EncoderConfig, maxTokens } from "./config.ts";
import { distilbert } from "./distilbert.ts";
import type { Encoder } from "./encoder.ts";
import { roberta } from "./roberta.ts";
import { shown } from "../files/json.ts";

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

/**
 * Reads HF's `config.json`. Throws a UserError, naming the field and the file, where the file is of no encoder
 * that is described here, or asks for what the engine does not compute.
 */
export function parseConfig(json: unknown, file = "config.json"): EncoderConfig {
  const fields = new ConfigReader(json, file);
  const type = fields.raw("model_type") ?? bert.type;
  const encoder = encoders.find((each) => each.type === type);
  if (!encoder) {
    const supported = encoders.map(({ type, examples }) => `"${type}" (${examples})`);
    throw new UserError(
      `${file}: "model_type" is ${shown(type)}; supported are ${supported.join(", ")}.`,
    );
  }
  fields.only("is_decoder", false);
  fields.only("quantization_config", null);
  return encoder.parse(fields);
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
