/** Access to test/goldens: numbers from the real transformers, peft and adapters, in float64. */
import { readFile } from "node:fs/promises";
import type { Device } from "../../engine/device.ts";
import { packBatch, type PackedBatch } from "../../models/bert/batch.ts";
import { type BertConfig, parseBertConfig } from "../../models/bert/config.ts";
import { openWeights, type WeightSource } from "../../models/bert/weights.ts";
import { openSafetensors } from "../../models/files/safetensors.ts";
import { fileSource } from "../../models/host/files.ts";
import { adapterName } from "../../models/peft/adapter.ts";
import { loraDefaults, type Method } from "../../models/peft/method.ts";
import { createModel, type MethodModel } from "../../models/peft/model.ts";
import { golden, goldenFolder } from "../files/temporary.ts";

const encoderLinears = [
  "query",
  "key",
  "value",
  "attention.output.dense",
  "intermediate.dense",
  "output.dense",
];

/** The runs, as make_hf.py and make_adapters.py set them up. */
export const goldenMethods: Record<string, Method> = {
  "full": { method: "full" },
  "lora": { ...loraDefaults(4), dropout: 0 },
  "lora-rslora-all": {
    ...loraDefaults(3),
    dropout: 0,
    useRslora: true,
    targetModules: encoderLinears,
  },
  "adapter-pfeiffer": { method: "adapter", size: 8, placement: "pfeiffer" },
  "adapter-houlsby": { method: "adapter", size: 8, placement: "houlsby" },
  "adapter-parallel": { method: "adapter", size: 8, placement: "parallel" },
  "adapter-shared": { method: "adapter", size: 8, placement: "shared" },
  "adapter-output": { method: "adapter", size: 8, placement: "output" },
};

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
  method: Method;
  config: BertConfig;
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
  const stored = (name: string) =>
    method.method === "lora" ? `base_model.model.${name}` : name.replace(
      `bert.encoder.shared_adapter.${adapterName}`,
      `bert.encoder.layer.0.output.adapters.${adapterName}`,
    );
  return {
    method,
    config: {
      ...parseBertConfig(await json(golden("model", "config.json"))),
      hiddenDropout: 0,
      attentionDropout: 0,
      classifierDropout: 0,
    },
    numbers: await json(golden(run, "golden.json")),
    tensor: (kind, name) =>
      file.read(kind === "hidden" ? `hidden.${name}` : `${kind}.${stored(name)}`),
    batches: (await json(golden("batches.json"))).batches,
    close: () => file.close(),
  };
}

/** The model of a golden run at its initial weights. */
export async function goldenModel(device: Device, source: Golden): Promise<MethodModel> {
  const base = await openWeights(goldenFolder("model"), source.config);
  const weights: WeightSource = {
    ...base,
    async read(spec) {
      const added = source.method.method !== "full" &&
        (spec.name.startsWith("classifier.") || /\.(lora_|adapter_)/.test(spec.name));
      return added ? await source.tensor("init", spec.name) : await base.read(spec);
    },
  };
  try {
    return await createModel(device, {
      config: source.config,
      method: source.method,
      classes: 5,
      weights,
      seed: 1,
    });
  } finally {
    base.close();
  }
}

export function packGolden(device: Device, { sentences, labels }: GoldenBatch): PackedBatch {
  return packBatch(device, sentences, labels);
}

/** Euclidean norm of a − b, or of a. */
export function distance(a: ArrayLike<number>, b?: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}
