/**
 * Bottleneck adapters, A(h) = up(act(down(h))), in AdapterHub's placements (Houlsby et al. 2019,
 * arXiv:1902.00751; Pfeiffer et al. 2020, arXiv:2005.00247; He et al. 2021, arXiv:2110.04366) and
 * two of our own: `shared`, pfeiffer's with one tied bottleneck in all layers, and `output`, one
 * bottleneck on the pooled vector.
 */
import { add, linear, relu, scale, silu } from "../../engine/ops/mod.ts";
import type { Parameters } from "../../engine/parameters.ts";
import type { BertConfig } from "../bert/config.ts";
import type { Tensor } from "../../engine/tensor.ts";
import type { PeftTree } from "../bert/encoder.ts";
import { linearParameters, type ParameterSpec } from "../bert/parameters.ts";
import type { AdapterMethod, AdapterPlacement } from "./method.ts";

/** The adapter's name in AdapterHub's files and tensor names. */
export const adapterName = "emotion";

export type AdapterActivation = "relu" | "silu";

/** The activation between down and up projection. */
export function adapterActivation(placement: AdapterPlacement): AdapterActivation {
  return placement === "houlsby" ? "silu" : "relu";
}

/** The prefixes of the bottlenecks' tensors, e.g. `bert.encoder.layer.0.output.adapters.emotion`. */
export function adapterModules(
  config: Pick<BertConfig, "layers">,
  placement: AdapterPlacement,
): string[] {
  if (placement === "shared") return [`bert.encoder.shared_adapter.${adapterName}`];
  if (placement === "output") return [`bert.pooler.adapters.${adapterName}`];
  const modules: string[] = [];
  for (let layer = 0; layer < config.layers; layer++) {
    const at = `bert.encoder.layer.${layer}`;
    if (placement === "houlsby") {
      modules.push(`${at}.attention.output.adapters.${adapterName}`);
    }
    modules.push(`${at}.output.adapters.${adapterName}`);
  }
  return modules;
}

/** Down [size, hidden] and up [hidden, size] projections, with biases, of every bottleneck. */
export function adapterParameters(config: BertConfig, method: AdapterMethod): ParameterSpec[] {
  const { hiddenSize: hidden } = config;
  const { size, placement } = method;
  const parallel = placement === "parallel";
  return adapterModules(config, placement).flatMap((module) => [
    ...linearParameters(
      `${module}.adapter_down.0`,
      size,
      hidden,
      parallel ? { kind: "kaimingUniform", fanIn: hidden } : { kind: "normal", std: 0.02 },
    ),
    ...linearParameters(
      `${module}.adapter_up`,
      hidden,
      size,
      parallel ? { kind: "zeros" } : { kind: "normal", std: 0.02 },
    ),
  ]);
}

/** The factor on the parallel adapter's output (He et al. 2021). */
const parallelScale = 4;

/** The change to the module tree: a bottleneck in a sub-layer's end, or on the pooled vector. */
export function adapterTree(method: AdapterMethod, parameters: Parameters): PeftTree {
  const { placement } = method;
  const activation = adapterActivation(placement) === "silu" ? silu : relu;
  /** A(h) = up(act(down(h))), or A(h) + residual. */
  const bottleneck = (module: string) => {
    const get = (name: string) => parameters.get(`${module}.${name}`);
    const down = { weight: get("adapter_down.0.weight"), bias: get("adapter_down.0.bias") };
    const up = { weight: get("adapter_up.weight"), bias: get("adapter_up.bias") };
    return (h: Tensor, residual?: Tensor) => linear(activation(linear(h, down)), up, { residual });
  };
  if (placement === "output") {
    const [module] = adapterModules({ layers: 0 }, placement);
    const adapter = bottleneck(module);
    return { pooled: (p) => adapter(p, p) };
  }
  const shared = placement === "shared"
    ? bottleneck(adapterModules({ layers: 0 }, placement)[0])
    : undefined;
  return {
    subLayerEnd(module, norm) {
      const isAttention = module.endsWith(".attention.output");
      if (isAttention && placement !== "houlsby") return undefined;
      const adapter = shared ?? bottleneck(`${module}.adapters.${adapterName}`);
      switch (placement) {
        case "houlsby":
          return (dense, input) => {
            const d = dense();
            return norm(add(adapter(d, d), input));
          };
        case "parallel":
          return (dense, input) => norm(add(dense(input), scale(adapter(input), parallelScale)));
        default: // pfeiffer, shared
          return (dense, input) => {
            const sum = dense(input);
            return norm(adapter(norm(sum), sum));
          };
      }
    },
  };
}
