/** What a method has to beat: the majority class, and, where they were asked for, bags of words. */
import { join } from "node:path";
import * as v from "valibot";
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
export type BaselineFile = v.InferOutput<typeof fileSchema>;

export const baselinesFile = "baselines.json";

/** Always the commonest class of the test part, which is that of the training part too, since the split is stratified. */
export function majorityBaseline({ test }: Pick<ComparedRun, "test">): Baseline {
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

/** The baselines of a run's rows: the majority class, and those that the experiment's folder keeps of the same rows. */
export async function baselinesOf(folder: string, run: ComparedRun): Promise<Baseline[]> {
  return [majorityBaseline(run), ...await keptBaselines(folder, run)];
}

async function keptBaselines(folder: string, { dataset, hyperparameters }: ComparedRun) {
  let text: string;
  try {
    text = await Deno.readTextFile(join(folder, baselinesFile));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const read = v.safeParse(v.pipe(v.string(), v.parseJson(), fileSchema), text);
  if (!read.success || read.output.dataset_hash !== dataset.hash) return [];
  const { seed, ...parts } = read.output.split;
  const { seed: own = hyperparameters.seed, ...ownParts } = dataset.split;
  const same = seed === own && JSON.stringify(parts) === JSON.stringify(ownParts);
  return same ? read.output.baselines : [];
}
