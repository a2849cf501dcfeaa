/** What a method has to beat: the majority class, and, where they were asked for, bags of words. */
import { join } from "node:path";
import * as v from "valibot";
import { trainBagOfWords } from "../../../models/baselines/bag_of_words.ts";
import type { Dataset } from "../../../models/data/load.ts";
import type { Split } from "../../../models/data/split.ts";
import { toJson } from "../../../models/files/json.ts";
import { textIfThere } from "../../../models/host/files.ts";
import { writeFileWhole } from "../../../models/host/write.ts";
import type { Output } from "../../shared/terminal.ts";
import type { ComparedRun } from "./compared_run.ts";

const schema = v.object({
  /** `majority` or the name of a bag of words. */
  name: v.string(),
  label: v.string(),
  config: v.string(),
  trainable_params: v.number(),
  accuracy: v.number(),
  macro_f1: v.number(),
  training_seconds: v.number(),
});
export type Baseline = v.InferOutput<typeof schema>;

/** The file's content: of which rows the figures are, and they. */
const fileSchema = v.object({
  dataset_hash: v.string(),
  split: v.object({
    train: v.number(),
    validation: v.number(),
    test: v.number(),
    seed: v.number(),
  }),
  baselines: v.array(schema),
});
type BaselineFile = v.InferOutput<typeof fileSchema>;

const baselinesFile = "baselines.json";

/** Always the commonest class of the test part, which is that of the training part too, since the split is stratified. */
function majorityBaseline({ test }: Pick<ComparedRun, "test">): Baseline {
  const [commonest] = test.per_class.toSorted((a, b) => b.support - a.support);
  const share = commonest.support / test.count;
  return {
    name: "majority",
    label: "Majority class",
    config: commonest.label,
    trainable_params: 0,
    accuracy: share,
    // Its precision is its share and its recall 1; all other classes count 0.
    macro_f1: 2 * share / (1 + share) / test.per_class.length,
    training_seconds: 0,
  };
}

/** What each bag is called, and what it counts. */
const bags = [
  { name: "bag-of-words", label: "Bag of words", terms: "words" },
  { name: "bag-of-characters", label: "Bag of pieces", terms: "characters" },
] as const;

/** Trains the bags of words and keeps their figures in the experiment's folder, unless they are there. */
export async function keepBagsOfWords(
  folder: string,
  { hash, labels }: Pick<Dataset, "hash" | "labels">,
  split: Split,
  seed: number,
  out: Output,
): Promise<void> {
  const { train, validation, test } = split;
  const parts = { train: train.length, validation: validation.length, test: test.length };
  const rows = { hash, split: { ...parts, seed } };
  if ((await keptBaselines(folder, rows)).length > 0) return;
  // Some ten thousand rows take minutes.
  out.write("\nTraining the baselines: bags of words and of characters\n");
  const baselines: Baseline[] = [];
  for (const { name, label, terms } of bags) {
    const { trainableParameters, test, trainingSeconds } = await trainBagOfWords(
      split,
      labels,
      terms,
    );
    baselines.push({
      name,
      label,
      config: "tf-idf",
      trainable_params: trainableParameters,
      accuracy: test.accuracy,
      macro_f1: test.macroF1,
      training_seconds: trainingSeconds,
    });
  }
  const content: BaselineFile = { dataset_hash: hash, split: rows.split, baselines };
  await writeFileWhole(join(folder, baselinesFile), toJson(content));
}

/** The baselines of a run's rows: the majority class, and those that the experiment's folder keeps of the same rows. */
export async function baselinesOf(folder: string, run: ComparedRun): Promise<Baseline[]> {
  const { seed = run.hyperparameters.seed!, ...parts } = run.dataset.split;
  const rows = { hash: run.dataset.hash, split: { ...parts, seed } };
  return [majorityBaseline(run), ...await keptBaselines(folder, rows)];
}

/** What the folder keeps of these rows; nothing where that is of others, or damaged. */
async function keptBaselines(
  folder: string,
  { hash, split }: { hash: string; split: BaselineFile["split"] },
): Promise<Baseline[]> {
  const text = await textIfThere(join(folder, baselinesFile));
  if (text === undefined) return [];
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), fileSchema), text);
  if (!read.success || read.output.dataset_hash !== hash) return [];
  const kept = read.output.split;
  const parts = ["train", "validation", "test", "seed"] as const;
  return parts.every((part) => kept[part] === split[part]) ? read.output.baselines : [];
}
