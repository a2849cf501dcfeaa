/** What LoRA's weights are, and whether they fit the layers that they change. */
import type { Tensor } from "../tensor.ts";

/** LoRA of the layers of a stack that have it, all of one rank. */
export interface Lora {
  /** [rank, in], or of several layers [layers with LoRA, rank, in]. */
  a: Tensor;
  /** [out, rank], or [layers with LoRA, out, rank]. */
  b: Tensor;
  /** s: α/r or α/√r. */
  scale: number;
  /** Dropout probability on LoRA's input; each layer draws its own. */
  dropout: number;
  /** Which layers of the stack have it, by number, ascending; [0] unless given. */
  layers?: readonly number[];
}

/** Throws where A and B do not fit the weight [out, in] or [stack, out, in], or `in` is no multiple of 4. */
export function checkLora(
  weight: Tensor,
  { a, b, layers = [0] }: Pick<Lora, "a" | "b" | "layers">,
): void {
  const { columns } = weight;
  const [outputs, count] = [weight.shape.at(-2)!, layers.length];
  if (
    columns % 4 !== 0 || a.columns !== columns || a.rows !== count * b.columns ||
    b.rows !== count * outputs
  ) {
    throw new Error(
      `LoRA's A [${a.shape.join(", ")}] and B [${b.shape.join(", ")}] do not fit ${count} of the ` +
        `weight [${weight.shape.join(", ")}], or its columns are not a multiple of 4.`,
    );
  }
  const stack = weight.rows / outputs;
  if (layers.some((layer, i) => layer >= stack || layer <= (layers[i - 1] ?? -1))) {
    throw new Error(
      `LoRA on the layers ${layers} of a stack of ${stack}: count from 0, ascending.`,
    );
  }
}
