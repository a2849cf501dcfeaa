/** The layers that encoders are described with, each over its scope of names. */
import {
  embedding as lookUp,
  join,
  layerNorm as normalise,
  linear as multiply,
  type Lora,
} from "../../engine/ops/mod.ts";
import type { RowIndex } from "../../engine/ops/embedding.ts";
import { activationDtype, type Tensor } from "../../engine/tensor.ts";
import type { Initializer, Scope } from "./scope.ts";
import type {
  Layer,
  LinearLayer,
  LinearPart,
  LinearSite,
  LinearTensors,
  LinearWrap,
  LoraWrap,
} from "./wrapping.ts";

/** A table [rows, columns]. */
export function embedding(
  scope: Scope,
  rows: number,
  columns: number,
  init: Initializer,
): (index: RowIndex) => Tensor {
  const table = scope.tensor("weight", [rows, columns], { init, kind: "table" });
  return (index) => {
    const rowsOf = table();
    return lookUp(rowsOf, index, activationDtype(rowsOf.device, columns));
  };
}

/** LayerNorm over the last dimension. */
export function layerNorm(scope: Scope, size: number, eps: number): Layer {
  const gamma = scope.tensor("weight", [size], { init: { kind: "ones" }, kind: "norm" });
  const beta = scope.tensor("bias", [size], { init: { kind: "zeros" }, kind: "bias" });
  return (x) => normalise(x, gamma(), beta(), eps);
}

/** A linear layer's sizes, what it is, and how its weight starts; biases start at zero. */
export interface LinearOptions {
  outputs: number;
  inputs: number;
  part: LinearPart;
  init: Initializer;
  /** `false` for a layer without one. */
  bias?: false;
}

/** y = x Wᵀ + b, or what the method makes of it. */
export function linear(scope: Scope, options: LinearOptions): LinearLayer {
  const tensors = declare(scope, options);
  const wrap = wrapOf({ scope, ...options });
  const lora = wrap && "lora" in wrap ? loraOf([wrap.lora], scope) : undefined;
  const plain: LinearLayer = (x, end) =>
    multiply(x, { weight: tensors.weight(), bias: tensors.bias?.(), lora: lora?.() }, end);
  return wrap && "around" in wrap ? wrap.around(plain, tensors) : plain;
}

/**
 * Linear layers of one input and equal sizes, such as attention's query, key and value: [layers, rows, out],
 * by one launch where what the method makes of them allows it.
 */
export function linears(
  scope: Scope,
  names: Readonly<Record<string, LinearPart>>,
  options: Omit<LinearOptions, "part">,
): Layer {
  const sites = Object.entries(names).map(([name, part]) => ({
    scope: scope.at(name),
    ...options,
    part,
  }));
  const wraps = sites.map(wrapOf);
  if (!fitTogether(sites, wraps)) {
    const layers = sites.map((site) => linear(site.scope, site));
    return (x) => join(layers.map((layer) => layer(x)));
  }
  const stack = `${scope.name}.*`;
  const tensors = sites.map((site) => declare(site.scope, site, stack));
  const weight = scope.together(tensors.map((each) => each.weight));
  const bias = options.bias ?? scope.together(tensors.map((each) => each.bias!));
  const adapted = wraps.flatMap((wrap, layer) =>
    wrap && "lora" in wrap ? [{ ...wrap, layer }] : []
  );
  const lora = adapted.length > 0
    ? loraOf(adapted.map((each) => each.lora), scope, stack)
    : undefined;
  const layers = adapted.map(({ layer }) => layer);
  return (x) =>
    multiply(x, {
      weight: weight(),
      bias: bias ? bias() : undefined,
      lora: lora && { ...lora(), layers },
    });
}

function declare(
  scope: Scope,
  { outputs, inputs, init, bias }: LinearOptions,
  stack?: string,
): LinearTensors {
  const of = (name: string) => stack && `${stack}.${name}`;
  return {
    weight: scope.tensor("weight", [outputs, inputs], {
      init,
      kind: "matrix",
      stack: of("weight"),
    }),
    ...(bias !== false && {
      bias: scope.tensor("bias", [outputs], {
        init: { kind: "zeros" },
        kind: "bias",
        stack: of("bias"),
      }),
    }),
  };
}

/** What the method makes of a layer; a head's own layers are no method's. */
function wrapOf(site: LinearSite): LinearWrap | undefined {
  const { role, context } = site.scope;
  return role === "head" || role === "peft" ? undefined : context.wrapping.linear?.(site);
}

/** Whether layers can be computed by one launch: what is beside them is of one kind, what trains is the same. */
function fitTogether(
  sites: readonly LinearSite[],
  wraps: readonly (LinearWrap | undefined)[],
): boolean {
  const settings = wraps.map((wrap) => {
    if (!wrap) return undefined;
    if ("around" in wrap) return wrap;
    const { rank, scale, dropout } = wrap.lora;
    return [rank, scale, dropout].join();
  });
  const oneKind = new Set(settings.filter((each) => each !== undefined)).size <= 1 &&
    !wraps.some((wrap) => wrap && "around" in wrap);
  const same = (name: string, kind: "matrix" | "bias") =>
    new Set(sites.map(({ scope }) => scope.trains(name, kind))).size === 1;
  return oneKind && same("weight", "matrix") && same("bias", "bias");
}

/** LoRA of one layer, or of several in a stack. */
function loraOf(wraps: readonly LoraWrap[], scope: Scope, stack?: string): () => Lora {
  const [{ scale, dropout }] = wraps;
  const weights = wraps.map((wrap) => wrap.weights(stack));
  const [a, b] = stack === undefined
    ? [weights[0].a, weights[0].b]
    : [scope.together(weights.map(({ a }) => a)), scope.together(weights.map(({ b }) => b))];
  return () => ({ a: a(), b: b(), scale, dropout: scope.dropout(dropout) });
}
