/**
 * Bottleneck adapters, A(h) = up(act(down(h))), in AdapterHub's placements (Houlsby et al. 2019,
 * arXiv:1902.00751; Pfeiffer et al. 2020, arXiv:2005.00247; He et al. 2021, arXiv:2110.04366) and
 * two of our own: `shared`, pfeiffer's with one tied bottleneck in all layers, and `output`, one
 * bottleneck on the pooled vector.
 */
import { add, relu, scale, silu } from "../../engine/ops/mod.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import { readJsonObject } from "../files/json.ts";
import { linear } from "../nn/layers.ts";
import type { Initializer, Scope } from "../nn/scope.ts";
import type { PooledActivation, SubLayerEnd, SubLayerSite, Wrapping } from "../nn/wrapping.ts";
import { adapterHubFiles, adapterName, readAdapterHub } from "./adapterhub_files.ts";
import type { MethodDefinition } from "./method.ts";
import { adapterConfigFile } from "./run_files.ts";
import {
  outputAdapterFiles,
  outputAdapterType,
  readOutputAdapter,
} from "./output_adapter_files.ts";

export const placements = ["shared", "output", "pfeiffer", "houlsby", "parallel"] as const;
export type AdapterPlacement = (typeof placements)[number];

export interface AdapterMethod {
  method: "adapter";
  /** Width of the bottleneck. */
  size: number;
  placement: AdapterPlacement;
  /** Whether BERT's pooler trains with the classifier, as a head of two layers has it in its place. */
  poolerTrains?: true;
  /** What follows the head's first layer, where it is not the encoder's own. */
  pooledActivation?: PooledActivation;
}

const defaultSizes = [64, 128, 256];
const defaultPlacement: AdapterPlacement = "shared";

const settings = {
  size: { kind: "wholes", help: "Adapter sizes, one run each", shown: defaultSizes.join() },
  adapter_placement: {
    kind: placements,
    help: `${placements.slice(0, -1).join(", ")} or ${placements.at(-1)}`,
    shown: defaultPlacement,
  },
} as const;

export const adapter: MethodDefinition<AdapterMethod, typeof settings> = {
  name: "adapter",
  label: "Adapter",
  compared: true,
  trainsAll: false,
  settings,
  plan: ({ size: sizes = defaultSizes, adapter_placement: placement = defaultPlacement }) =>
    sizes.map((size) => ({ method: "adapter", size, placement })),
  runName: (method) => [`adapter-${method.size}`, ...differences(method)].join("-"),
  configLabel: (method) => [`size=${method.size}`, ...differences(method)].join(", "),
  report: ({ size, placement, poolerTrains, pooledActivation }) => ({
    size,
    adapter_placement: placement,
    ...(poolerTrains && { pooler_trains: true }),
    ...(pooledActivation && { pooled_activation: pooledActivation }),
  }),
  fit: (method) => method,
  wrap: adapterWrapping,
  merge:
    "an adapter has a nonlinearity between its two layers, so that no linear layer computes the " +
    "same. Its folder and the base model are used together.",
  files: (request, method) =>
    method.placement === "output"
      ? outputAdapterFiles(request, method)
      : adapterHubFiles(request, method, bottlenecksOf(request.config)),
  owns: (fields) => fields !== undefined && !("peft_type" in fields),
  async read(folder, config) {
    const { adapter_type: type } = await readJsonObject(folder, adapterConfigFile);
    return type === outputAdapterType
      ? await readOutputAdapter(folder, config)
      : await readAdapterHub(folder, config, bottlenecksOf(config));
  },
};

/** What differs from the defaults. */
const differences = ({ placement, poolerTrains, pooledActivation }: AdapterMethod): string[] => [
  ...(placement === defaultPlacement ? [] : [placement]),
  ...(poolerTrains ? ["pooler"] : []),
  ...(pooledActivation ? [pooledActivation] : []),
];

/** The prefixes of a placement's bottlenecks, e.g. `bert.encoder.layer.0.output.adapters.emotion`. */
function bottlenecksOf(config: EncoderConfig): (placement: AdapterPlacement) => string[] {
  return (placement) => {
    const wrapping = adapterWrapping({ method: "adapter", size: 1, placement });
    const added = declareModel(config, 2, wrapping).specs.filter(({ role }) => role === "peft");
    return added.flatMap(({ name }) => /^(.*)\.adapter_up\.weight$/.exec(name)?.slice(1) ?? []);
  };
}

/** The factor on the parallel adapter's output (He et al. 2021). */
const parallelScale = 4;

/** A bottleneck in a sub-layer's end, or on the pooled vector. */
export function adapterWrapping(method: AdapterMethod): Wrapping {
  const { size, placement, poolerTrains, pooledActivation } = method;
  const activation = placement === "houlsby" ? silu : relu;
  const normal: Initializer = { kind: "normal", std: 0.02 };
  /** A(h) = up(act(down(h))), or A(h) + residual: down [size, hidden], up [hidden, size], with biases. */
  const bottleneck = (place: Scope, hidden: number) => {
    const scope = place.as("peft").at(adapterName);
    const parallel = placement === "parallel";
    const down = linear(scope.at("adapter_down.0"), {
      outputs: size,
      inputs: hidden,
      part: "adapter",
      init: parallel ? { kind: "kaimingUniform", fanIn: hidden } : normal,
    });
    const up = linear(scope.at("adapter_up"), {
      outputs: hidden,
      inputs: size,
      part: "adapter",
      init: parallel ? { kind: "zeros" } : normal,
    });
    return (h: Tensor, residual?: Tensor) => up(activation(down(h)), { residual });
  };
  const trains: Wrapping["trains"] = ({ role }) =>
    role === "head" || (role === "pooler" && poolerTrains === true);
  if (placement === "output") {
    return {
      trains,
      pooledActivation,
      pooled(scope, hidden) {
        const adapt = bottleneck(scope, hidden);
        return (pooled) => adapt(pooled, pooled);
      },
    };
  }
  return {
    trains,
    pooledActivation,
    subLayer({ part, scope, shared, hiddenSize, norm }: SubLayerSite): SubLayerEnd | undefined {
      if (part === "attention" && placement !== "houlsby") return undefined;
      const place = placement === "shared" ? shared.at("shared_adapter") : scope;
      const adapt = bottleneck(place, hiddenSize);
      switch (placement) {
        case "houlsby":
          return (dense, input) => {
            const d = dense();
            return norm(add(adapt(d, d), input));
          };
        case "parallel":
          return (dense, input) => norm(add(dense(input), scale(adapt(input), parallelScale)));
        default: // pfeiffer, shared
          return (dense, input) => {
            const sum = dense(input);
            return norm(adapt(norm(sum), sum));
          };
      }
    },
  };
}
