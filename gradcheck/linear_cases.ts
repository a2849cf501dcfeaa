/** Makes the linear layer's cases: alone and in stacks, with LoRA beside it, with what may follow it in its kernel. */
import * as ops from "../engine/ops/mod.ts";
import type { Tensor } from "../engine/tensor.ts";
import { elementFactors } from "./dropout_factors.ts";
import { dropoutSite, type OpCase } from "./op_case.ts";
import * as reference from "./reference.ts";
import { split } from "./values.ts";

interface LinearOptions {
  bias?: boolean;
  /** Layers of a stack; a single one unless given. */
  stack?: number;
  /** Which of them have LoRA, of this rank and dropout. */
  lora?: { rank: number; layers?: number[]; dropout?: number };
}

/** Linear layers of one input; inputs of the case are x, weight, then bias, A and B where there are any. */
export function linear(
  [rows, inputs, outputs]: [number, number, number],
  { bias = true, stack, lora }: LinearOptions = {},
): OpCase & { run(inputs: Tensor[], end?: ops.LinearEnd): Tensor } {
  const count = stack ?? 1;
  const leading = (layers: number) => stack === undefined ? [] : [layers];
  const adapted = lora ? lora.layers ?? [0] : [];
  const scale = 0.7;
  const dropout = lora?.dropout ?? 0;
  const factors = adapted.map((_, site) =>
    elementFactors({ ...dropoutSite(dropout), site }, rows * inputs)
  );
  const loraShapes = lora
    ? [[lora.rank, inputs], [outputs, lora.rank]].map((each) => [
      ...leading(adapted.length),
      ...each,
    ])
    : [];
  const named = (tensors: Tensor[]): ops.LinearWeights => {
    const [weight, ...rest] = tensors;
    const own = bias ? rest.shift() : undefined;
    const [a, b] = rest;
    const layers = stack === undefined ? undefined : adapted;
    return { weight, bias: own, ...(lora && { lora: { a, b, scale, dropout, layers } }) };
  };
  return {
    shapes: [
      [rows, inputs],
      [...leading(count), outputs, inputs],
      ...(bias ? [[...leading(count), outputs]] : []),
      ...loraShapes,
    ],
    activations: [0],
    run: ([x, ...tensors], end?: ops.LinearEnd) => ops.linear(x, named(tensors), end),
    reference([x, weight, ...rest], dy) {
      const biases = bias ? rest.shift()! : new Array(count * outputs).fill(0);
      const [as, bs] = rest.map((each) => split(each, adapted.length));
      const dys = split(dy.length > 0 ? dy : new Array(count * rows * outputs).fill(0), count);
      const results = dys.map((dz, z) => {
        const own = [x, split(weight, count)[z], split(biases, count)[z]];
        const slot = adapted.indexOf(z);
        return slot < 0 ? reference.linear(own[0], own[1], own[2], dz) : reference.loraLinear(
          [...own, as[slot], bs[slot]],
          { scale, factors: factors[slot] },
          dz,
        );
      });
      const of = (i: number) => results.map(({ gradients }) => gradients[i]);
      const dx = of(0).reduce((sum, each) => sum.map((value, i) => value + each[i]));
      const gradients = [dx, of(1).flat(), ...(bias ? [of(2).flat()] : [])];
      if (lora) gradients.push(adapted.flatMap((z) => of(3)[z]), adapted.flatMap((z) => of(4)[z]));
      return { y: results.flatMap(({ y }) => y), gradients };
    },
  };
}

/** A layer with what may follow it in its kernel; its last input is the residual, where there is one. */
export function linearEnd(
  size: [number, number, number],
  { gelu = false, dropout = 0, residual = false },
  options: LinearOptions = {},
): OpCase {
  const layer = linear(size, options);
  const [rows, , outputs] = size;
  const shape = [...(options.stack ? [options.stack] : []), rows, outputs];
  const factors = elementFactors(dropoutSite(dropout), (options.stack ?? 1) * rows * outputs);
  const count = layer.shapes.length;
  return {
    shapes: residual ? [...layer.shapes, shape] : layer.shapes,
    activations: [0, count],
    run: (inputs) =>
      layer.run(inputs.slice(0, count), {
        gelu,
        dropout,
        ...(residual && { residual: inputs[count] }),
      }),
    reference(inputs, dresult) {
      const own = inputs.slice(0, count);
      const { y: before } = layer.reference(own, []);
      const { f, df } = gelu ? reference.functions.gelu : { f: (x: number) => x, df: () => 1 };
      const y = before.map((value, i) => f(value) * factors[i] + (residual ? inputs[count][i] : 0));
      const dy = dresult.map((value, i) => value * factors[i] * df(before[i]));
      const { gradients } = layer.reference(own, dy);
      return { y, gradients: residual ? [...gradients, dresult] : gradients };
    },
  };
}
