/** What a file of this room tells of its encoder. */
import type { Network } from "../nn/network.ts";
import type { Scope } from "../nn/scope.ts";
import type { PooledActivation } from "../nn/wrapping.ts";
import type { ConfigReader, EncoderConfig } from "./config.ts";

export interface Encoder {
  /** HF's `model_type`. */
  type: string;
  /** The class in transformers, which exported files name. */
  architecture: string;
  /** What all of the encoder's names begin with; checkpoints of the bare encoder leave it out. */
  prefix: string;
  /**
   * The owners on the hub of checkpoints that go by a name alone, by its beginning: they were moved there when
   * every repository got an owner.
   */
  owners: Readonly<Record<string, string>>;
  /** What follows the dense layer between the first row and the classifier, where no method changes it. */
  pooledActivation: PooledActivation;
  /** For the reader of an error: checkpoints of this kind. */
  examples: string;
  /** Reads a config.json. Throws a UserError where it asks for what the engine does not compute. */
  parse(fields: ConfigReader): EncoderConfig;
  /** The fields of a config.json that stand for a config: the inverse of {@link parse}. */
  fields(config: EncoderConfig): Record<string, unknown>;
  /** The forward pass, over a scope of names. */
  describe(scope: Scope, config: EncoderConfig, classes: number): Network;
}
