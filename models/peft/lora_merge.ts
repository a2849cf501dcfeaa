/**
 * LoRA within W: W + s B A; and DoRA's V = W + s B A with rows of the trained lengths, m ⊙ V/‖V‖. As PEFT's
 * peft/tuners/lora/layer.py and dora.py merge and unmerge them, but in float64.
 */
import type { Fold, TrainedBeside } from "./method.ts";

export function foldLora(
  { rank, scale, useDora }: { rank: number; scale: number; useDora: boolean },
): Fold {
  const magnitudeOf = (trained: TrainedBeside) =>
    useDora ? trained("lora_magnitude_vector") : undefined;
  return {
    fold({ weight, bias }, trained) {
      const productOf = rowsOfProduct(rank, scale, trained);
      const magnitude = magnitudeOf(trained);
      const folded = byRows(weight, trained, rank, (values, row) => {
        addTo(values, productOf(row), 1);
        return magnitude ? magnitude[row] / norm(values) : 1;
      });
      return { weight: folded, bias };
    },
    // The lengths ‖V‖ are gone from a merged DoRA; PEFT keeps them beside it, and here the base has them.
    unfold({ weight, bias }, trained, base) {
      const productOf = rowsOfProduct(rank, scale, trained);
      const magnitude = magnitudeOf(trained);
      let lost = 0;
      const unfolded = byRows(weight, trained, rank, (values, row) => {
        const product = productOf(row);
        if (magnitude) {
          const before = Float64Array.from(rowOf(base.weight, row, values.length));
          if (magnitude[row] === 0) {
            lost++;
            values.set(before);
            return 1;
          }
          const length = norm(addTo(before.slice(), product, 1));
          for (let i = 0; i < values.length; i++) values[i] *= length / magnitude[row];
        }
        addTo(values, product, -1);
        return 1;
      });
      return { weight: unfolded, bias, lost };
    },
  };
}

/** A matrix made of another row by row: `change` changes a row, and returns a factor on it. */
function byRows(
  matrix: Float32Array,
  trained: TrainedBeside,
  rank: number,
  change: (row: Float64Array, index: number) => number,
): Float32Array {
  const inputs = trained("lora_A.weight").length / rank;
  const made = new Float32Array(matrix.length);
  for (let row = 0; row * inputs < matrix.length; row++) {
    const values = Float64Array.from(rowOf(matrix, row, inputs));
    const factor = change(values, row);
    made.set(values.map((value) => value * factor), row * inputs);
  }
  return made;
}

const rowOf = (matrix: Float32Array, row: number, inputs: number) =>
  matrix.subarray(row * inputs, (row + 1) * inputs);

/** The rows of s B A, of A [rank, in] and B [out, rank]. */
function rowsOfProduct(rank: number, scale: number, trained: TrainedBeside) {
  const a = trained("lora_A.weight");
  const b = trained("lora_B.weight");
  const inputs = a.length / rank;
  return (row: number): Float64Array => {
    const values = new Float64Array(inputs);
    for (let k = 0; k < rank; k++) {
      const factor = scale * b[row * rank + k];
      for (let i = 0; i < inputs; i++) values[i] += factor * a[k * inputs + i];
    }
    return values;
  };
}

function addTo(values: Float64Array, more: Float64Array, factor: 1 | -1): Float64Array {
  for (let i = 0; i < values.length; i++) values[i] += factor * more[i];
  return values;
}

const norm = (values: Float64Array): number =>
  Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
