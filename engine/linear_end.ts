/** What may follow a linear layer within its kernel, forward, and how gradients come back through it. */
import { gelu as geluKernels } from "../kernels/mod.ts";
import { launchElementwise } from "./elementwise.ts";
import type { Epilogue } from "./matmul.ts";
import { add } from "./ops/add.ts";
import { convert } from "./ops/convert.ts";
import { applyDropout, dropout, dropoutParams } from "./ops/dropout.ts";
import { gelu } from "./ops/gelu.ts";
import { isRecorded } from "./tape.ts";
import { activationDtype, emptyLike, formatOf, type Tensor } from "./tensor.ts";

/** dropout(gelu(y)) + residual, each part where it is given. */
export interface LinearEnd {
  gelu?: boolean;
  /** Probability. */
  dropout?: number;
  /** Of y's shape. */
  residual?: Tensor;
}

/** Whether there is nothing but the product to make, in f32. */
export const isPlain = ({ dtype }: Tensor, { gelu, dropout, residual }: LinearEnd): boolean =>
  dtype === "f32" && !gelu && !dropout && !residual;

/** The same by operations of their own, for products whose kernel has no epilogue. */
export function applyEnd(
  y: Tensor,
  { gelu: activated, dropout: probability, residual }: LinearEnd,
) {
  let result = activated ? gelu(y) : y;
  if (probability) result = dropout(result, probability);
  return residual ? add(result, residual) : result;
}

/**
 * A linear layer that no kernel makes as a whole: its product in f32, which is what kernels for any shape have, then
 * the end by operations of their own, in x's dtype where the columns have it.
 */
export function inSteps(x: Tensor, end: LinearEnd, product: (x: Tensor) => Tensor): Tensor {
  const y = product(convert(x, "f32"));
  const dtype = x.dtype === "f32" ? "f32" : activationDtype(x.device, y.columns);
  return applyEnd(convert(y, dtype), end);
}

export interface PreparedEnd {
  epilogue: Epilogue;
  /** Tensors that the backward pass needs. */
  saved: Tensor[];
  /** From the gradient of the end's result to that of y: a new tensor, or `dy` itself. */
  backward(dy: Tensor): Tensor;
}

/** Readies an end for the product that makes `y` from `inputs`. */
export function prepareEnd(y: Tensor, inputs: readonly Tensor[], end: LinearEnd): PreparedEnd {
  const { device } = y;
  const kept = end.gelu && isRecorded(inputs) ? emptyLike(y) : undefined;
  const params = end.dropout ? dropoutParams(y, end.dropout) : undefined;
  return {
    epilogue: {
      ...(end.gelu && { gelu: { kept } }),
      ...(params && { dropout: params }),
      ...(end.residual && { residual: end.residual }),
    },
    saved: kept ? [kept] : [],
    backward(dy) {
      const dropped = params ? applyDropout(dy, params) : dy;
      if (!kept) return dropped;
      const dx = emptyLike(dy);
      launchElementwise(geluKernels(formatOf(dy)).backward, { x: kept, dy: dropped, dx });
      if (dropped !== dy) device.memory.release(dropped.storage);
      return dx;
    },
  };
}
