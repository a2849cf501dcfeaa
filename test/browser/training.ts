/** Three steps of LoRA on the built-in model and sample, from files that are fetched or read: the same anywhere. */
import { createDevice } from "../../engine/device.ts";
import { readDataset } from "../../models/data/load.ts";
import { stratifiedSplit } from "../../models/data/split.ts";
import { parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { memoryFolder } from "../../models/files/folder.ts";
import { readJsonObject } from "../../models/files/json.ts";
import { methods } from "../../models/peft/methods.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { defaultHyperparameters } from "../../models/training/events.ts";
import { train } from "../../models/training/trainer.ts";

const modelFiles = ["config.json", "model.safetensors", "tokenizer_config.json", "vocab.txt"];

/** Losses of three steps, with the files of assets/ as `read` gives them. */
export async function losses(
  read: (path: string) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<number[]> {
  const files = new Map<string, Uint8Array<ArrayBuffer>>();
  for (const name of modelFiles) files.set(name, await read(`mini/${name}`));
  const folder = memoryFolder("mini", files);
  const config = parseConfig(await readJsonObject(folder, "config.json"));
  const tokenizer = await loadTokenizer(folder);
  const csv = bytesSource(await read("sample/emotions.csv"), "emotions.csv");
  const about = { name: "sample", source: "assets", sample: true, notices: [] };
  const { labels, examples } = await readDataset({ ...about, files: [csv] });
  const { seed, batchSize, maxLength } = defaultHyperparameters;
  const split = stratifiedSplit({ labels, examples }, { seed, maxSamples: 60 });
  const device = await createDevice();
  const seen: number[] = [];
  const events = train({
    device,
    config,
    method: methods.lora.plan({})[0],
    labels,
    weights: await openWeights(folder, config, labels),
    encode: (text) => tokenizer.encode(text, maxLength),
    split: { ...split, train: split.train.slice(0, 3 * batchSize) },
    hyperparameters: { ...defaultHyperparameters, learningRate: 1e-2, epochs: 1, warmupSteps: 0 },
  });
  for await (const event of events) {
    if (event.type === "step") seen.push(event.loss);
  }
  device.destroy();
  return seen;
}
