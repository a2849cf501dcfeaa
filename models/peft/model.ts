/** From a method and a checkpoint to a model on the GPU, ready to train. */
import type { Device } from "../../engine/device.ts";
import { fnv1a } from "../../engine/hash.ts";
import { type Dtype, pack, type PackedDtype } from "../../engine/pack.ts";
import { Parameters } from "../../engine/parameters.ts";
import { domains, HostRandom } from "../../engine/random.ts";
import type { BertConfig } from "../bert/config.ts";
import { buildBert, type Model, type PeftTree } from "../bert/encoder.ts";
import { bertParameters, encoderLinears, type ParameterSpec, stackOf } from "../bert/parameters.ts";
import { sizeOf } from "../../engine/shape.ts";
import type { WeightSource } from "../bert/weights.ts";
import { messageOf, UserError } from "../errors.ts";
import { adapterTree } from "./adapter.ts";
import { loraTree } from "./lora.ts";
import { type Method, methodParameters } from "./method.ts";

/** Seed of encoder tensors that no checkpoint holds: theirs alone, so that every run of `mini` starts alike. */
export const baseSeed = 0;

export interface MethodModel {
  model: Model;
  parameters: Parameters;
  /** In the order of `methodParameters`. */
  specs: (ParameterSpec & { trainable: boolean })[];
  /** Frees parameters and gradients. */
  destroy(): void;
}

/**
 * Builds the model of a method: allocates its parameters, reads the checkpoint tensor by tensor, and
 * starts the rest (head, LoRA, adapters; for `mini` everything) as its spec says, from the seed.
 */
export async function createModel(
  device: Device,
  options: {
    config: BertConfig;
    method: Method;
    classes: number;
    weights: WeightSource;
    seed: number;
    /** How the weights of frozen linear layers lie on the GPU; f32 unless given. */
    frozenDtype?: Dtype;
  },
): Promise<MethodModel> {
  const { config, method, classes, weights, seed, frozenDtype = "f32" } = options;
  const specs = methodParameters(config, method, classes);
  const encoder = new Set(bertParameters(config, classes).map(({ name }) => name));
  const packs = packing(config, frozenDtype);
  const parameters = new Parameters(
    device,
    specs.map((spec) => ({ ...spec, packed: packs(spec), stack: stackOf(spec.name) })),
  );
  try {
    for (const spec of specs) {
      const fromBase = encoder.has(spec.name) && spec.name.startsWith("bert.");
      const data = await weights.read(spec) ?? initialValues(spec, fromBase ? baseSeed : seed);
      const { storage, offset } = parameters.get(spec.name);
      const packed = packs(spec);
      device.write(storage, offset, packed ? packTensor(spec.name, data, packed) : data);
      device.gpu.queue.submit([]); // hands the staging memory back tensor by tensor
    }
    device.check();
  } catch (error) {
    parameters.destroy();
    throw error;
  }
  const model = buildBert(
    config,
    parameters,
    treeOf(method, config, parameters, () => model.training),
  );
  return { model, parameters, specs, destroy: () => parameters.destroy() };
}

/**
 * Which tensors are packed: frozen weights of the encoder's linear layers and the pooler's, where the
 * kernels can read them, which take four values at once in both directions.
 */
function packing(
  config: BertConfig,
  dtype: Dtype,
): (spec: { name: string; trainable: boolean }) => PackedDtype | undefined {
  if (dtype === "f32") return () => undefined;
  const fits = encoderLinears(config).filter(({ inputs, outputs }) =>
    inputs % 4 === 0 && outputs % 4 === 0
  );
  const names = new Set(fits.map(({ name }) => `${name}.weight`));
  return ({ name, trainable }) => !trainable && names.has(name) ? dtype : undefined;
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

function treeOf(
  method: Method,
  config: BertConfig,
  parameters: Parameters,
  training: () => boolean,
): PeftTree {
  switch (method.method) {
    case "full":
      return {};
    case "lora":
      return loraTree(config, method, parameters, training);
    case "adapter":
      return adapterTree(method, parameters);
  }
}

/** A new tensor's values. They depend on the seed and the tensor's name, not on what else is made. */
export function initialValues({ name, shape, init }: ParameterSpec, seed: number): Float32Array {
  const values = new Float32Array(sizeOf(shape));
  if (init.kind === "zeros") return values;
  if (init.kind === "ones") return values.fill(1);
  const random = new HostRandom(seed, domains.initialise, fnv1a(name));
  if (init.kind === "normal") return values.map(() => init.std * random.normal());
  const bound = 1 / Math.sqrt(init.fanIn);
  return values.map(() => bound * (2 * random.uniform() - 1));
}
