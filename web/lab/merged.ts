/** A LoRA or IA³ run folded into its base, and what both make of a sentence. */
import { mergeRun } from "../../models/peft/merge.ts";
import { definitionOf } from "../../models/peft/methods.ts";
import type { Lab } from "./lab.ts";
import type { Trained } from "./trained.ts";

export interface Comparison {
  labels: readonly string[];
  /** Logits with what was trained beside the base, and folded into it. */
  beside: Float32Array;
  folded: Float32Array;
  /** Linear layers that were changed. */
  layers: number;
}

/** Whether a run's method becomes part of the base's linear layers. */
export const canMerge = ({ method }: Trained): boolean =>
  typeof definitionOf(method).merge !== "string";

/** Merges a run and labels a sentence with it before and after. */
export async function compareMerged(lab: Lab, run: Trained, text: string): Promise<Comparison> {
  const { labels, method, weights } = run;
  const { base, labeller } = lab;
  const { logits: beside } = await labeller.label(run, text);
  const source = await base.open(labels);
  const { config } = base;
  const merged = await mergeRun({ method, weights }, {
    config,
    classes: labels.length,
    base: source,
  }).finally(() => source.close());
  const whole = { ...run, method: { method: "full" as const }, weights: merged.weights };
  try {
    const { logits: folded } = await labeller.label(whole, text);
    return { labels, beside, folded, layers: merged.layers.length };
  } finally {
    await labeller.drop(whole);
  }
}
