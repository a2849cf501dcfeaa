/** A run's adapter folded into its base: one whole model, which needs neither beside it. */
import type { Fold } from "./method.ts";
import { definitionOf, type Method, methodParameters } from "./methods.ts";
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import type { WeightSource } from "../encoders/weights.ts";
import { UserError } from "../errors.ts";
import { initialValues } from "../nn/initial.ts";
import type { LinearSite } from "../nn/wrapping.ts";
import { baseSeed } from "./export.ts";
import type { LoadedRun, NamedTensors } from "./run_files.ts";

export interface Merged {
  /** Every tensor of the model, by our names: what `full` exports. */
  weights: NamedTensors;
  /** The linear layers into which something was folded. */
  layers: string[];
}

/**
 * Folds what a run trained beside the linear layers into their weights, as PEFT's `merge_and_unload`: in float64,
 * rounded to f32 once. What the run trained whole (classifier, biases, saved modules) takes its place; the rest is
 * the base's, as its checkpoint has it, also where the run was trained over weights kept in bf16 or f16.
 * Throws a UserError where the method cannot be merged, or where a merged value is no finite number.
 */
export async function mergeRun(
  { method, weights: trained }: Pick<LoadedRun, "method" | "weights">,
  { config, classes, base }: { config: EncoderConfig; classes: number; base: WeightSource },
): Promise<Merged> {
  const foldOf = foldsOf(method, config);
  const weights: NamedTensors = new Map();
  for (const spec of methodParameters(config, { method: "full" }, classes)) {
    const { name, shape } = spec;
    const data = trained.get(name)?.data ?? await base.read(spec) ?? initialValues(spec, baseSeed);
    weights.set(name, { shape, data });
  }
  const layers: string[] = [];
  for (const site of declareModel(config, classes).linears) {
    const folding = foldOf(site);
    if (!folding) continue;
    const module = site.scope.name;
    const weight = weights.get(`${module}.weight`)!;
    const bias = weights.get(`${module}.bias`);
    const folded = folding.fold(
      { weight: weight.data, bias: bias?.data },
      (name) => trained.get(`${module}.${name}`)!.data,
    );
    if (!folded.weight.every(Number.isFinite) || folded.bias?.every(Number.isFinite) === false) {
      throw new UserError(
        `${module} would hold no finite numbers: the run's weights are of no use.`,
      );
    }
    weight.data = folded.weight;
    if (bias && folded.bias) bias.data = folded.bias;
    layers.push(module);
  }
  return { weights, layers };
}

/** How a method folds into linear layers. Throws a UserError where it does not. */
export function foldsOf(
  method: Method,
  config: EncoderConfig,
): (site: LinearSite) => Fold | undefined {
  const { merge } = definitionOf(method);
  if (typeof merge === "string") throw new UserError(`This run cannot be merged: ${merge}`);
  return merge(method, config);
}
