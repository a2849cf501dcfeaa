/** A trained run as the weights that another training starts from. */
import { type HeadRows, rowsNamed } from "../encoders/head_rows.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import { inRows, trainedWeights, type WeightSource } from "../encoders/weights.ts";
import { type NamedTensors, splitHead } from "./run_files.ts";

/**
 * A run's trained tensors over its base, for these labels: its classifier goes on where it is one for the same names, in
 * the labels' order, and is left out where it is not, as the base's own would be. Closing it closes the base.
 */
export function continuedWeights(
  { weights, labels: names, folder }: {
    weights: NamedTensors;
    /** Undefined where the run does not tell. */
    labels?: readonly string[];
    folder: string;
  },
  base: WeightSource,
  { config, labels }: { config: EncoderConfig; labels: readonly string[] },
): WeightSource {
  const { body, head } = splitHead(weights, config);
  const found: HeadRows = names === undefined
    ? { other: "does not say what its classes are called, as PEFT's do not" }
    : rowsNamed(names, labels);
  if ("other" in found) {
    const note = `The classifier of ${folder} ${found.other}: it is left out.`;
    return { ...trainedWeights(body, base), notes: [note, ...base.notes] };
  }
  const perClass = [...head.keys()].slice(-2);
  for (const name of perClass) {
    const { shape, data } = head.get(name)!;
    head.set(name, { shape, data: inRows(data, found.rows) });
  }
  const headNote = `The classifier of ${labels.length} classes comes from ${folder}.`;
  const notes = [...base.notes.filter((note) => note !== base.headNote), headNote];
  return { ...trainedWeights(new Map([...body, ...head]), base), notes, headNote };
}
