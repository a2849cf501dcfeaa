/** Exercise 4: a method of one file, BitFit (Ben Zaken et al. 2022): biases train, and nothing else. */
import { sizeOf } from "../../../engine/mod.ts";
import { bertBaseUncased, type EncoderConfig } from "../../../models/encoders/mod.ts";
import { memoryFolder } from "../../../models/files/folder.ts";
import { type NamedTensors, piecesOf } from "../../../models/files/run_file.ts";
import { exportRun, readRun } from "../../../models/peft/export.ts";
import {
  definitionOf,
  type Method,
  methodParameters,
  methods,
} from "../../../models/peft/methods.ts";
import { type Exercise, missing, type Outcome, solved } from "./exercise.ts";

const file = "models/peft/bitfit.ts";
const labels = ["joy", "anger", "fear"];

/** bert-base of two narrow layers. */
const small: EncoderConfig = {
  ...bertBaseUncased,
  vocabSize: 40,
  hiddenSize: 16,
  layers: 2,
  heads: 2,
  intermediateSize: 32,
  maxPositions: 20,
};

async function check(): Promise<Outcome> {
  const found = (methods as Record<string, { plan(given: object): Method[] }>).bitfit;
  if (!found) {
    return missing(
      `There is no method "bitfit" in models/peft/methods.ts: write ${file} and give it its place.`,
    );
  }
  const runs = found.plan({});
  if (runs.length !== 1) {
    return missing(`BitFit has no settings: its plan should be one run, not ${runs.length}.`);
  }
  const [method] = runs;
  const specs = methodParameters(small, method, labels.length);
  const added = specs.find(({ role }) => role === "peft");
  if (added) return missing(`BitFit adds nothing to the model, but here "${added.name}" is added.`);
  for (const { name, kind, role, trainable } of specs) {
    const should = kind === "bias" || role === "head";
    if (trainable === should) continue;
    return missing(
      `"${name}" ${
        should ? "is a bias or the classifier's: it should train" : "should not train"
      }.`,
    );
  }
  const trouble = await roundTrip(method);
  if (trouble) return missing(trouble);
  const [big] = [methodParameters(bertBaseUncased, method, 13)];
  const count = big.reduce((sum, spec) => sum + (spec.trainable ? sizeOf(spec.shape) : 0), 0);
  return solved(
    `BitFit trains ${count.toLocaleString("en-US")} parameters of bert-base, and comes back from ` +
      "its folder. Train it: deno task train --method bitfit --model_name mini --use_sample.",
  );
}

/** What is wrong with the folder that the method writes; undefined where it is read as it was. */
async function roundTrip(method: Method): Promise<string | undefined> {
  const weights: NamedTensors = new Map();
  let next = 0;
  for (const { name, shape, trainable } of methodParameters(small, method, labels.length)) {
    if (!trainable) continue;
    weights.set(name, { shape, data: new Float32Array(sizeOf(shape)).map(() => ++next / 64) });
  }
  const baseModel = { name: "bert-base-uncased" };
  const request = { method, config: small, labels, baseModel, weights, tokenizerFiles: [] };
  const files = await exportRun(request);
  const blobs = new Map(
    files.map((each) => [each.name, new Blob(piecesOf(each) as Uint8Array<ArrayBuffer>[])]),
  );
  const read = await readRun(memoryFolder("run", blobs), small);
  if (read.method.method !== method.method) {
    return `Its folder is read as one of ${definitionOf(read.method).label}: see \`owns\`.`;
  }
  for (const [name, { data }] of weights) {
    if (read.weights.get(name)?.data.join() !== data.join()) {
      return `"${name}" is not read as it was written.`;
    }
  }
  if (read.labels?.join() !== labels.join()) return "The labels are not read as they were written.";
}

export const method: Exercise = { title: "Add a method in one file: BitFit", file, check };
