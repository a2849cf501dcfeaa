/** The matrix products of a training step, for the tuner of their kernels. */
import type { Dtype } from "../../engine/pack.ts";
import type { Product } from "../../engine/plans.ts";
import type { Method } from "../peft/method.ts";
import { rowMultiple } from "./batch.ts";
import type { BertConfig } from "./config.ts";
import { attentionInputs, encoderLinears } from "./parameters.ts";

export interface StepSize {
  /** Sentences of a batch, and its tokens, about. */
  sentences: number;
  tokens: number;
}

/**
 * Products of the linear layers, forward (NT), for the gradient of the input (NN) and, where weights train,
 * of the weight (TN). LoRA's narrow ones have kernels of their own, and the classifier's fit no tile: neither has
 * plans to choose from.
 */
export function stepProducts(
  config: BertConfig,
  method: Method,
  { sentences, tokens }: StepSize,
  frozenDtype: Dtype,
): Product[] {
  const full = method.method === "full";
  const packedRows = Math.ceil(tokens / rowMultiple) * rowMultiple;
  const products: Product[] = [];
  const add = (
    rows: number,
    { outputs, inputs }: { outputs: number; inputs: number },
    { dtype, trains, stack = 1 }: { dtype: Dtype; trains: boolean; stack?: number },
  ) => {
    products.push(
      { transpose: "NT", rows, columns: outputs, inner: inputs, dtype, stack },
      { transpose: "NN", rows, columns: inputs, inner: outputs, dtype, stack },
    );
    if (!trains) return;
    products.push({ transpose: "TN", rows: outputs, columns: inputs, inner: rows, dtype, stack });
  };
  const frozen = { dtype: full ? "f32" : frozenDtype, trains: full } as const;
  const [first, ...others] = attentionInputs;
  for (const { name, ...sizes } of encoderLinears(config)) {
    if (others.some((input) => name.endsWith(`.self.${input}`))) continue; // in the first one's launch
    const stack = name.endsWith(`.self.${first}`) ? attentionInputs.length : 1;
    const pooler = name.startsWith("bert.pooler");
    add(pooler ? sentences : packedRows, sizes, { ...frozen, stack });
  }
  if (method.method === "adapter") {
    const rows = method.placement === "output" ? sentences : packedRows;
    const { hiddenSize: hidden } = config;
    const trained = { dtype: "f32", trains: true } as const;
    add(rows, { outputs: method.size, inputs: hidden }, trained);
    add(rows, { outputs: hidden, inputs: method.size }, trained);
  }
  return products;
}
