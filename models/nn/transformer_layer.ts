/**
 * The post-norm encoder layer of Vaswani et al. (2017, arXiv:1706.03762) as BERT, RoBERTa and DistilBERT have
 * it: attention, then feed-forward with GELU, each followed by dropout, the residual and LayerNorm. They
 * differ in names only.
 */
import { attention } from "../../engine/ops/mod.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { PackedBatch } from "./batch.ts";
import { layerNorm, linear, linears } from "./layers.ts";
import type { Initializer, Scope } from "./scope.ts";
import type { LinearPart } from "./wrapping.ts";

/** The names of a sub-layer's end. */
export interface SubLayerNames {
  dense: string;
  norm: string;
  /** Where AdapterHub's bottlenecks sit. */
  adapters: string;
}

/** The checkpoint's names of a layer's parts. */
export interface LayerNames {
  /** Where the three projections are. */
  self: string;
  query: string;
  key: string;
  value: string;
  attentionOutput: SubLayerNames;
  intermediate: string;
  output: SubLayerNames;
}

export interface LayerSizes {
  hiddenSize: number;
  heads: number;
  intermediateSize: number;
  layerNormEps: number;
  hiddenDropout: number;
  /** After attention's dense; `hiddenDropout` unless given. */
  attentionOutputDropout?: number;
  attentionDropout: number;
  initializerRange: number;
}

/** A layer [rows, hidden] → [rows, hidden]; `shared` is the scope of what all layers may share. */
export function transformerLayer(
  scope: Scope,
  shared: Scope,
  names: LayerNames,
  sizes: LayerSizes,
): (x: Tensor, batch: PackedBatch) => Tensor {
  const { hiddenSize: hidden, intermediateSize: intermediate, heads } = sizes;
  const init: Initializer = { kind: "normal", std: sizes.initializerRange };

  /** A sub-layer's end: dense, dropout, then LN(D + X) or what the method makes of it. */
  const subLayerEnd = (
    part: "attention" | "feedForward",
    { dense, norm, adapters }: SubLayerNames,
    inputs: number,
  ) => {
    const attends = part === "attention";
    const densePart = attends ? "attentionOutput" : "output";
    const { hiddenDropout, attentionOutputDropout = hiddenDropout } = sizes;
    const probability = attends ? attentionOutputDropout : hiddenDropout;
    const project = linear(scope.at(dense), { outputs: hidden, inputs, init, part: densePart });
    const normalise = layerNorm(scope.at(norm), hidden, sizes.layerNormEps);
    const own = scope.context.wrapping.subLayer?.({
      part,
      scope: scope.at(adapters),
      shared,
      hiddenSize: hidden,
      norm: normalise,
    });
    const end = own ?? ((denseOf, x) => normalise(denseOf(x)));
    return (x: Tensor, residual: Tensor): Tensor => {
      const dropout = scope.dropout(probability);
      return end((added) => project(x, { dropout, residual: added }), residual);
    };
  };

  const inputs: Record<string, LinearPart> = {
    [names.query]: "query",
    [names.key]: "key",
    [names.value]: "value",
  };
  const projections = linears(scope.at(names.self), inputs, {
    outputs: hidden,
    inputs: hidden,
    init,
  });
  const attentionOutput = subLayerEnd("attention", names.attentionOutput, hidden);
  const up = linear(scope.at(names.intermediate), {
    outputs: intermediate,
    inputs: hidden,
    init,
    part: "intermediate",
  });
  const output = subLayerEnd("feedForward", names.output, intermediate);

  return (x, { sentences }) => {
    const dropout = scope.dropout(sizes.attentionDropout);
    const attended = attentionOutput(attention(projections(x), { heads, dropout, sentences }), x);
    return output(up(attended, { gelu: true }), attended);
  };
}
