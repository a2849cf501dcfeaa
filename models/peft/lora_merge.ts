/**
 * LoRA within W: W + s B A; and DoRA's V = W + s B A with rows of the trained lengths, m ⊙ V/‖V‖. As PEFT's
 * peft/tuners/lora/layer.py and dora.py merge them, but in float64.
 */
import type { Fold } from "./method.ts";

export function foldLora(
  { rank, scale, useDora }: { rank: number; scale: number; useDora: boolean },
): Fold {
  return ({ weight, bias }, trained) => {
    const a = trained("lora_A.weight"); // [rank, in]
    const b = trained("lora_B.weight"); // [out, rank]
    const magnitude = useDora ? trained("lora_magnitude_vector") : undefined;
    const inputs = a.length / rank;
    const merged = new Float32Array(weight.length);
    for (let start = 0, row = 0; start < weight.length; start += inputs, row++) {
      const values = Float64Array.from(weight.subarray(start, start + inputs));
      for (let k = 0; k < rank; k++) {
        const factor = scale * b[row * rank + k];
        for (let i = 0; i < inputs; i++) values[i] += factor * a[k * inputs + i];
      }
      if (magnitude) {
        const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
        for (let i = 0; i < inputs; i++) values[i] *= magnitude[row] / norm;
      }
      merged.set(values, start);
    }
    return { weight: merged, bias };
  };
}
