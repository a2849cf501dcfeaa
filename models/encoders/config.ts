/** The sizes and constants of an encoder, under one set of names, and how Hugging Face's `config.json` is read. */
import { UserError } from "../errors.ts";
import { isObject, shown } from "../files/json.ts";

/** An encoder's architecture; which encoder's it is says `type`. */
export interface EncoderConfig {
  /** HF's `model_type`. */
  type: string;
  vocabSize: number;
  hiddenSize: number;
  layers: number;
  heads: number;
  intermediateSize: number;
  /** Rows of the table of positions. */
  maxPositions: number;
  /** The first token's row in it. */
  firstPosition: number;
  /** Rows of the table of token types; 0 where there is none. */
  typeVocabSize: number;
  layerNormEps: number;
  initializerRange: number;
  hiddenDropout: number;
  attentionDropout: number;
  /** Dropout on the pooled vector. */
  classifierDropout: number;
}

/** Tokens that a sentence may have, special ones included. */
export const maxTokens = ({ maxPositions, firstPosition }: EncoderConfig): number =>
  maxPositions - firstPosition;

/** Reads the fields of a `config.json`, each with a check that names the file. */
export class ConfigReader {
  readonly file: string;
  readonly #fields: Record<string, unknown>;

  /** Throws a UserError where `json` is no object. */
  constructor(json: unknown, file: string) {
    if (!isObject(json)) throw new UserError(`${file} is not a JSON object.`);
    this.file = file;
    this.#fields = json;
  }

  /** A finite number, or the fallback where the field is missing or null. */
  number(name: string, fallback?: number): number {
    const value = this.#fields[name] ?? fallback;
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw new UserError(
        `${this.file}: "${name}" should be a number, but is ${shown(value)}.`,
      );
    }
    return value;
  }

  /** A number from 0 to 1, such as an epsilon or a deviation. */
  fraction(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (value < 0 || value > 1) {
      throw new UserError(`${this.file}: "${name}" should be from 0 to 1, but is ${value}.`);
    }
    return value;
  }

  /** A dropout's probability: 0 or more, and below 1, where nothing would be left. */
  dropout(name: string, fallback: number): number {
    const value = this.number(name, fallback);
    if (value < 0 || value >= 1) {
      throw new UserError(
        `${this.file}: "${name}" should be a dropout from 0 to below 1, but is ${value}.`,
      );
    }
    return value;
  }

  /** A whole number of at least 1. */
  count(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new UserError(
        `${this.file}: "${name}" should be a positive whole number, but is ${value}.`,
      );
    }
    return value;
  }

  /** A whole number of at least 0. */
  id(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new UserError(
        `${this.file}: "${name}" should be a whole number of at least 0, but is ${value}.`,
      );
    }
    return value;
  }

  /** Throws where a field asks for what the engine does not compute. */
  only(name: string, expected: unknown): void {
    const value = this.#fields[name] ?? expected;
    if (value !== expected) {
      throw new UserError(
        `${this.file}: "${name}" is ${shown(value)}; only ${shown(expected)} is supported.`,
      );
    }
  }

  /** Throws where a field is there and asks for something: `because` says for what. */
  without(name: string, because: string): void {
    const value = this.#fields[name];
    const empty = isObject(value) || Array.isArray(value)
      ? Object.keys(value).length === 0
      : value === undefined || value === null || value === false;
    if (empty) return;
    throw new UserError(
      `${this.file} has "${name}" ${shown(value)}: ${because}, which is not supported.`,
    );
  }

  /** The field as it is. */
  raw(name: string): unknown {
    return this.#fields[name];
  }
}

/** Far beyond every encoder of the kinds that are read; each layer is declared, also of a damaged file. */
const mostLayers = 1000;

/** What attention's kernels compute of one head in a GPU's workgroup memory; checkpoints have 64, some 128. */
const mostHeadSize = 360;

/** The same config after a check that the heads divide the hidden size, and that the layers can be listed. */
export function checkedHeads<Config extends EncoderConfig>(config: Config, file: string): Config {
  const { hiddenSize, heads, layers } = config;
  if (layers > mostLayers) {
    throw new UserError(`${file} asks for ${layers} layers; at most ${mostLayers} can be read.`);
  }
  if (hiddenSize % heads !== 0) {
    throw new UserError(
      `${file}: a hidden size of ${hiddenSize} does not divide into ${heads} heads.`,
    );
  }
  if (hiddenSize / heads > mostHeadSize) {
    throw new UserError(
      `${file} asks for heads of ${hiddenSize / heads} values (a hidden size of ${hiddenSize} by ` +
        `${heads}); at most ${mostHeadSize} can be computed.`,
    );
  }
  if (hiddenSize % 4 !== 0) {
    throw new UserError(`${file}: a hidden size of ${hiddenSize} is no multiple of 4.`);
  }
  return config;
}
