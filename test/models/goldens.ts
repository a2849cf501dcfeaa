/** Access to test/goldens: numbers from the real transformers, peft and adapters, in float64. */
import { readFile } from "node:fs/promises";
import type { Device } from "../../engine/device.ts";
import { type EncoderConfig, inputLimits, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights, type WeightSource } from "../../models/encoders/weights.ts";
import { openSafetensors } from "../../models/files/safetensors.ts";
import { fileSource, hostFolder } from "../../models/host/files.ts";
import { createModel, type MethodModel } from "../../models/model.ts";
import { packBatch, type PackedBatch } from "../../models/nn/batch.ts";
import { adapterName } from "../../models/peft/adapterhub_files.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, methodParameters } from "../../models/peft/methods.ts";
import { golden } from "../files/temporary.ts";

const encoderLinears = [
  "query",
  "key",
  "value",
  "attention.output.dense",
  "intermediate.dense",
  "output.dense",
];
const lora = { ...loraDefaults(4), dropout: 0 };
const bottleneck = { method: "adapter", size: 8 } as const;

/** On every encoder. */
const common: Record<string, Method> = {
  "full": { method: "full" },
  "lora": lora,
  "ia3": { method: "ia3", targetModules: ["key", "value", "output"] },
  "adapter-pfeiffer": { ...bottleneck, placement: "pfeiffer" },
  "adapter-houlsby": { ...bottleneck, placement: "houlsby" },
  "adapter-parallel": { ...bottleneck, placement: "parallel" },
};
const prefixed = (prefix: string) =>
  Object.fromEntries(Object.entries(common).map(([run, method]) => [`${prefix}-${run}`, method]));

/** The runs, as make_hf.py and make_adapters.py set them up. */
export const goldenMethods: Record<string, Method> = {
  ...common,
  "lora-rslora-all": {
    ...loraDefaults(3),
    dropout: 0,
    useRslora: true,
    targetModules: encoderLinears,
  },
  "lora-bias": { ...lora, bias: "lora_only" },
  "lora-bias-all": { ...lora, bias: "all" },
  "lora-layers": { ...lora, layers: [1] },
  "lora-pattern": { ...lora, rankPattern: { value: 2 }, alphaPattern: { value: 6 } },
  "lora-pooler": { ...lora, modulesToSave: ["pooler"] },
  "dora": { ...lora, useDora: true },
  "adapter-shared": { ...bottleneck, placement: "shared" },
  "adapter-output": { ...bottleneck, placement: "output" },
  "lora-pattern-regex": {
    ...lora,
    rankPattern: { "layer\\.1\\..*": 3, "value": 2 },
    alphaPattern: { "1\\.attention\\.self\\.(query|key)": 5 },
  },
  ...prefixed("roberta"),
  ...prefixed("distilbert"),
  "wide-full": { method: "full" },
  "wide-lora": { ...loraDefaults(8), dropout: 0 },
  "odd-full": { method: "full" },
  "odd-lora": lora,
};

/** The folder of a run's base model. `wide` and `odd` are BERTs: heads of 32, and of 26. */
export function baseOf(run: string): string {
  const encoder = ["roberta", "distilbert", "wide", "odd"].find((name) => run.startsWith(name));
  return encoder ? golden("models", encoder) : golden("model");
}

export interface GoldenNumbers {
  trainable: number;
  logits: number[][];
  loss: number;
  steps: { loss: number; gradient_norm: number; learning_rate: number }[];
  final_loss: number;
}

interface GoldenBatch {
  sentences: number[][];
  labels: number[];
}

export interface Golden {
  run: string;
  method: Method;
  config: EncoderConfig;
  numbers: GoldenNumbers;
  /** `init`, `gradient` or `final` of a trainable tensor, by our name; or `hidden.0` … of `full`. */
  tensor(kind: string, name: string): Promise<Float32Array>;
  batches: GoldenBatch[];
  close(): void;
}

/** Opens the goldens of a run. */
export async function openGolden(run: string): Promise<Golden> {
  const json = async (path: string) => JSON.parse(await readFile(path, "utf8"));
  const file = await openSafetensors(await fileSource(golden(run, "golden.safetensors")));
  const method = goldenMethods[run];
  const base = baseOf(run);
  const peft = method.method === "lora" || method.method === "ia3";
  /** The reference's name of one of our tensors. */
  const stored = (kind: string, name: string) => {
    const shared = name.replace(
      `bert.encoder.shared_adapter.${adapterName}`,
      `bert.encoder.layer.0.output.adapters.${adapterName}`,
    );
    const plain = `${kind}.${peft ? "base_model.model." : ""}${shared}`;
    return file.tensors.has(plain) ? plain : plain.replace(/\.bias$/, ".base_layer.bias");
  };
  return {
    run,
    method,
    config: {
      ...parseConfig(await json(`${base}/config.json`)),
      hiddenDropout: 0,
      attentionDropout: 0,
      classifierDropout: 0,
    },
    numbers: await json(golden(run, "golden.json")),
    tensor: (kind, name) => file.read(stored(kind, name)),
    batches:
      (await json(base === golden("model") ? golden("batches.json") : `${base}/batches.json`))
        .batches,
    close: () => file.close(),
  };
}

/** The model of a golden run at its initial weights. */
export async function goldenModel(device: Device, source: Golden): Promise<MethodModel> {
  const { config, method } = source;
  const base = await openWeights(hostFolder(baseOf(source.run)), config, 5);
  const own = new Set(
    methodParameters(config, method, 5).filter(({ trainable }) => trainable).map(({ name }) =>
      name
    ),
  );
  const weights: WeightSource = {
    ...base,
    read: (wanted) =>
      method.method !== "full" && own.has(wanted.name)
        ? source.tensor("init", wanted.name)
        : base.read(wanted),
  };
  try {
    return await createModel(device, { config, method, classes: 5, weights, seed: 1 });
  } finally {
    base.close();
  }
}

export function packGolden(
  device: Device,
  { config }: Pick<Golden, "config">,
  { sentences, labels }: GoldenBatch,
): PackedBatch {
  return packBatch(device, sentences, labels, inputLimits(config, 5));
}

/** Euclidean norm of a − b, or of a. */
export function distance(a: ArrayLike<number>, b?: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
