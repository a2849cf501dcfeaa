/** The way back from a merged model to its base: the adapter is taken out again, and what is left compared. */
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import type { WeightSource } from "../encoders/weights.ts";
import { UserError } from "../errors.ts";
import { initialValues } from "../nn/initial.ts";
import { baseSeed } from "./export.ts";
import { foldsOf } from "./merge.ts";
import { methodParameters } from "./methods.ts";
import type { LoadedRun, NamedTensors } from "./run_files.ts";

export interface Unmerged {
  /** Every tensor of the model, by our names; the merged one's classifier where the base has none. */
  weights: NamedTensors;
  /** The linear layers out of which something was taken. */
  layers: string[];
  /** The largest difference that the adapter makes to a value of them. */
  change: number;
  /** The largest difference that is left, and the tensor that has it. */
  difference: number;
  tensor: string;
  /** What rounding to f32 leaves at most. */
  tolerance: number;
  /** Layers with rows or columns that a factor of 0 has wiped out, and how many: the base's are in their place. */
  lost: { layer: string; count: number }[];
}

/** Rounding leaves some 6e-8 of a value, and DoRA's and IA3's divisions a few times that. */
const roundingError = 1e-5;

/**
 * Takes out of a merged model what {@link mergeRun} folds into it, as PEFT's `unmerge_adapter`: in float64, rounded
 * to f32 once. In what the run trained whole (classifier, biases, saved modules) the merged model is compared with the
 * run, in all else with the base. DoRA's row lengths, which a merged layer does not tell, are taken from the base.
 * Throws a UserError where the method cannot be merged, and where the model is of another shape.
 */
export async function unmergeRun(
  { method, weights: trained }: Pick<LoadedRun, "method" | "weights">,
  { config, classes, base, merged }: {
    config: EncoderConfig;
    classes: number;
    base: WeightSource;
    merged: WeightSource;
  },
): Promise<Unmerged> {
  const foldOf = foldsOf(method, config);
  const found = { change: 0, difference: 0, tensor: "", largest: 1 };
  const compare = (tensor: string, values: Float32Array, expected: Float32Array) => {
    const difference = distance(values, expected);
    found.largest = expected.reduce(
      (most, value) => Math.max(most, Math.abs(value)),
      found.largest,
    );
    if (found.tensor === "" || difference > found.difference) {
      Object.assign(found, { difference, tensor });
    }
  };

  const before: NamedTensors = new Map();
  const weights: NamedTensors = new Map();
  for (const spec of methodParameters(config, { method: "full" }, classes)) {
    const { name, shape, role } = spec;
    const data = await merged.read(spec);
    if (!data) {
      throw new UserError(
        `${merged.description} lacks "${name}" [${shape.join(", ")}], which the run's merged ` +
          `model has.`,
      );
    }
    const own = trained.get(name)?.data;
    const stored = await base.read(spec) ??
      (own && role === "head" ? own : initialValues(spec, baseSeed));
    before.set(name, { shape, data: stored });
    weights.set(name, { shape, data: own ? stored : data });
    if (own) compare(name, data, own);
  }
  const layers: string[] = [];
  const lost: Unmerged["lost"] = [];
  for (const site of declareModel(config, classes).linears) {
    const folding = foldOf(site);
    if (!folding) continue;
    const module = site.scope.name;
    const of = (tensors: NamedTensors) => ({
      weight: tensors.get(`${module}.weight`)!.data,
      bias: tensors.get(`${module}.bias`)?.data,
    });
    const [folded, expected] = [of(weights), of(before)];
    const { weight, bias, lost: count } = folding.unfold(
      folded,
      (name) => trained.get(`${module}.${name}`)!.data,
      expected,
    );
    found.change = Math.max(found.change, distance(folded.weight, expected.weight));
    weights.get(`${module}.weight`)!.data = weight;
    if (bias) weights.get(`${module}.bias`)!.data = bias;
    if (count > 0) lost.push({ layer: module, count });
    layers.push(module);
  }
  for (const [name, { data }] of weights) {
    if (!trained.has(name)) compare(name, data, before.get(name)!.data);
  }
  const { change, difference, tensor, largest } = found;
  return { weights, layers, change, difference, tensor, tolerance: roundingError * largest, lost };
}

/** The largest difference between two tensors' values; infinite where one is no number. */
function distance(a: Float32Array, b: Float32Array): number {
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= most)) most = Number.isNaN(difference) ? Infinity : difference;
  }
  return most;
}
