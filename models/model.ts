/** From an encoder, a method and a checkpoint to a model on the GPU, ready to train. */
import type { Device } from "../engine/device.ts";
import { type Dtype, pack, type PackedDtype, unpack } from "../engine/pack.ts";
import { Parameters } from "../engine/parameters.ts";
import { bindModel, declareModel, type EncoderConfig, inputLimits } from "./encoders/mod.ts";
import type { WeightSource } from "./encoders/weights.ts";
import { messageOf, UserError } from "./errors.ts";
import type { InputLimits } from "./nn/batch.ts";
import { initialValues, rowNorms } from "./nn/initial.ts";
import { type Model, modelOf } from "./nn/network.ts";
import type { ParameterSpec } from "./nn/scope.ts";
import { baseSeed } from "./peft/export.ts";
import { definitionOf, type Method, methodParameters } from "./peft/methods.ts";

export interface ModelOptions {
  config: EncoderConfig;
  method: Method;
  classes: number;
  /** How the weights of frozen linear layers lie on the GPU; f32 unless given. */
  frozenDtype?: Dtype;
  /** See {@link createBase}: what is frozen is taken from it where it can be. It is to outlive the model. */
  base?: Parameters;
}

export interface MethodModel {
  model: Model;
  parameters: Parameters;
  /** In the order of `methodParameters`. */
  specs: ParameterSpec[];
  /** What a batch for it may hold. */
  limits: InputLimits;
  /** Frees parameters and gradients. */
  destroy(): void;
}

/** Allocates a model's parameters and binds its network to them; their values are the caller's to write. */
export function allocateModel(device: Device, options: ModelOptions): MethodModel {
  const { config, method, classes, frozenDtype = "f32", base } = options;
  const specs = methodParameters(config, method, classes);
  const infos = specs.map((spec) => ({ ...spec, packed: packing(spec, frozenDtype) }));
  const mode = { training: false };
  const wrapping = definitionOf(method).wrap(method, config);
  const { parameters, network } = device.memory.allOrNothing(() => {
    const parameters = new Parameters(device, infos, base);
    return { parameters, network: bindModel(config, classes, { parameters, mode, wrapping }) };
  });
  return {
    model: modelOf(device, network, mode),
    parameters,
    specs,
    limits: inputLimits(config, classes),
    destroy: () => parameters.destroy(),
  };
}

/**
 * Builds the model of a method: allocates its parameters, reads the checkpoint tensor by tensor, and
 * starts the rest (head, LoRA, adapters) as its spec says, from the seed.
 * What it shares with a base is neither read nor written again. Throws an OutOfMemoryError before anything is read
 * where the GPU has no room.
 */
export async function createModel(
  device: Device,
  options: ModelOptions & { weights: WeightSource; seed: number },
): Promise<MethodModel> {
  const { weights, seed, frozenDtype = "f32" } = options;
  const built = allocateModel(device, options);
  const { parameters, specs } = built;
  const norms = new Map<string, Float32Array>();
  try {
    await checkRoom(device);
    const wanted = new Set<string>();
    for (const spec of specs) {
      const { init } = spec;
      if (init.kind === "rowNorms" && !(await weights.read(spec))) wanted.add(init.of);
    }
    for (const spec of specs) {
      const { name, init, role } = spec;
      const owned = parameters.owns(name);
      if (!owned && !wanted.has(name)) continue;
      const data = await weights.read(spec) ??
        (init.kind === "rowNorms" ? norms.get(init.of)! : initialValues(
          spec,
          role === "head" || role === "peft" ? seed : baseSeed,
        ));
      const dtype = packing(spec, frozenDtype);
      const packed = dtype && packTensor(name, data, dtype);
      if (wanted.has(name)) {
        norms.set(name, rowNorms(packed ? unpack(packed, dtype) : data, spec.shape[0]));
      }
      if (!owned) continue;
      writeTensor(parameters, name, packed ?? data);
    }
  } catch (error) {
    built.destroy();
    throw error;
  }
  return built;
}

/**
 * Puts an encoder's weights on the GPU, frozen and without a classifier, for models of several methods to lie over:
 * see {@link ModelOptions.base}. Each of those has what it trains for its own. The caller destroys it after them.
 * Throws an OutOfMemoryError before anything is read where the GPU has no room.
 */
export async function createBase(
  device: Device,
  { config, weights, frozenDtype = "f32" }:
    & Pick<ModelOptions, "config" | "frozenDtype">
    & { weights: WeightSource },
): Promise<Parameters> {
  const specs = declareModel(config, 2).specs // of the head, whose size this is, nothing is kept
    .flatMap((spec) => spec.role === "head" ? [] : { ...spec, trainable: false });
  const infos = specs.map((spec) => ({ ...spec, packed: packing(spec, frozenDtype) }));
  const parameters = device.memory.allOrNothing(() => new Parameters(device, infos));
  try {
    await checkRoom(device);
    for (const spec of specs) {
      const data = await weights.read(spec) ?? initialValues(spec, baseSeed);
      const dtype = packing(spec, frozenDtype);
      writeTensor(parameters, spec.name, dtype ? packTensor(spec.name, data, dtype) : data);
    }
  } catch (error) {
    parameters.destroy();
    throw error;
  }
  return parameters;
}

/** Where there is no room, reading and sending gigabytes would only put the news off. */
async function checkRoom(device: Device): Promise<void> {
  await device.memory.answered();
  device.check();
}

/** Throws what the GPU has reported by now. */
function writeTensor(
  parameters: Parameters,
  name: string,
  values: Float32Array | Uint16Array,
): void {
  const { device, storage, offset } = parameters.get(name);
  device.write(storage, offset, values);
  device.gpu.queue.submit([]); // hands the staging memory back tensor by tensor
  device.check();
}

/**
 * How a tensor is packed: frozen weights of linear layers, where the kernels can read them, which take four
 * values at once in both directions.
 */
function packing(
  { kind, role, trainable, shape }: ParameterSpec,
  dtype: Dtype,
): PackedDtype | undefined {
  const fits = kind === "matrix" && role !== "head" && shape.every((size) => size % 4 === 0);
  return dtype !== "f32" && fits && !trainable ? dtype : undefined;
}

function packTensor(name: string, values: Float32Array, dtype: PackedDtype): Uint16Array {
  try {
    return pack(values, dtype);
  } catch (error) {
    throw new UserError(`${name} cannot be kept as ${dtype}: ${messageOf(error)}.`, {
      cause: error,
      remedy: { kind: "otherFrozenDtype" },
    });
  }
}
