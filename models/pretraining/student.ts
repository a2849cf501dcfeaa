/** A BERT on the GPU that starts from nothing, with what its objective has beside it. */
import type { Device } from "../../engine/device.ts";
import { Parameters } from "../../engine/parameters.ts";
import { type BertEncoder, bertEncoder } from "../encoders/bert.ts";
import { type EncoderConfig, inputLimits } from "../encoders/mod.ts";
import type { InputLimits } from "../nn/batch.ts";
import { initialValues } from "../nn/initial.ts";
import { type Model, modelOf } from "../nn/network.ts";
import { type ModelContext, type ParameterSpec, Scope } from "../nn/scope.ts";
import { noWrapping } from "../nn/wrapping.ts";
import type { Objective, Prepare } from "./objective.ts";

export interface Student {
  model: Model;
  parameters: Parameters;
  specs: ParameterSpec[];
  limits: InputLimits;
  prepare: Prepare;
  /** Frees parameters and gradients. */
  destroy(): void;
}

/** Runs the description of encoder and objective over a context. */
function describe(
  context: ModelContext,
  config: EncoderConfig,
  objective: Objective,
): { encoder: BertEncoder; prepare: Prepare } {
  const scope = new Scope(context);
  const encoder = bertEncoder(scope, config);
  return { encoder, prepare: objective.describe(scope, encoder, config) };
}

/** All tensors that train, the encoder's first. */
function studentSpecs(config: EncoderConfig, objective: Objective): ParameterSpec[] {
  const specs = new Map<string, ParameterSpec>();
  describe({ specs, mode: { training: false }, wrapping: noWrapping }, config, objective);
  return [...specs.values()];
}

/** Makes a student whose tensors start from the seed. Throws an OutOfMemoryError where the GPU has no room. */
export async function createStudent(
  device: Device,
  config: EncoderConfig,
  objective: Objective,
  seed: number,
): Promise<Student> {
  const specs = studentSpecs(config, objective);
  const mode = { training: false };
  const parameters = device.memory.allOrNothing(() => new Parameters(device, specs));
  try {
    await device.memory.answered();
    device.check();
    for (const spec of specs) {
      const { storage, offset } = parameters.get(spec.name);
      device.write(storage, offset, initialValues(spec, seed));
    }
  } catch (error) {
    parameters.destroy();
    throw error;
  }
  const context = { specs: new Map(), parameters, mode, wrapping: noWrapping };
  const { encoder, prepare } = describe(context, config, objective);
  const classify = () => {
    throw new Error("A student has no classes.");
  };
  return {
    model: modelOf(device, { ...encoder, classify }, mode),
    parameters,
    specs,
    limits: inputLimits(config, 1),
    prepare,
    destroy: () => parameters.destroy(),
  };
}
