/** What each class counts in the loss. */
import { quotedNames, UserError } from "../errors.ts";

/** By label, or as many rows as each class has make it right. */
export type ClassWeights = "balanced" | Readonly<Record<string, number>>;

const quoted = (labels: readonly string[]) => quotedNames(labels, 5);

/** Throws a UserError where weights by label are not above 0, or are not those of exactly these labels. */
export function checkClassWeights(weights: ClassWeights, labels: readonly string[]): void {
  if (weights === "balanced") return;
  const unknown = Object.keys(weights).filter((label) => !labels.includes(label));
  if (unknown.length > 0) {
    throw new UserError(
      `The class weights name ${quoted(unknown)}, which the data do not have: their labels are ` +
        `${quoted(labels)}.`,
    );
  }
  const missing = labels.filter((label) => !Object.hasOwn(weights, label));
  if (missing.length > 0) {
    throw new UserError(`The class weights lack ${quoted(missing)}: every label needs one.`);
  }
  for (const label of labels) {
    const weight = weights[label];
    if (!(weight > 0 && Number.isFinite(Math.fround(weight)))) {
      throw new UserError(
        `The class weight of ${JSON.stringify(label)} is ${weight}: a number above 0 is needed.`,
      );
    }
  }
}

/**
 * The weights in the order of the labels. Balanced ones are examples / (classes · examples of the class), over the
 * training part, as scikit-learn's `compute_class_weight`. Throws a UserError where weights do not fit the labels,
 * or a class that is to be balanced has no example.
 */
export function classWeightsOf(
  weights: ClassWeights,
  labels: readonly string[],
  train: readonly { label: number }[],
): number[] {
  checkClassWeights(weights, labels);
  if (weights !== "balanced") return labels.map((label) => weights[label]);
  const counts = labels.map(() => 0);
  for (const { label } of train) counts[label]++;
  const empty = labels.filter((_, label) => counts[label] === 0);
  if (empty.length > 0) {
    throw new UserError(
      `Weights cannot balance ${quoted(empty)}: the training part has no example of it.`,
    );
  }
  return counts.map((count) => train.length / (labels.length * count));
}
