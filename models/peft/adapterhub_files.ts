/**
 * Adapter folders as AdapterHub's library (adapters 1.2 and 1.3) writes and reads them:
 * `adapter_config.json` and `adapter.safetensors` for the bottlenecks; for the classifier and its labels see
 * adapterhub_head.ts.
 */
import { type EncoderConfig, encoderOf } from "../encoders/mod.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { float, isObject, readJsonObject, shown, toJson } from "../files/json.ts";
import type { RunFile } from "../files/run_file.ts";
import type { AdapterMethod, AdapterPlacement } from "./adapter.ts";
import { headFiles, hubModelClass, readHead, withSafetensors } from "./adapterhub_head.ts";
import type { ReadMethod } from "./method.ts";
import {
  adapterConfigFile,
  checkNoPickle,
  type ExportRequest,
  type NamedTensors,
  readTensors,
  splitHead,
} from "./run_files.ts";

const weightsFile = "adapter.safetensors";

/** Without a version the loader takes the folder for an old one and renames activations. */
const version = "adapters.1.2.0";
const suffixes = [
  "adapter_down.0.weight",
  "adapter_down.0.bias",
  "adapter_up.weight",
  "adapter_up.bias",
];

/** The adapter's name in AdapterHub's files and tensor names. */
export const adapterName = "emotion";

/** The prefixes of the bottlenecks' tensors, for a placement. */
type BottlenecksOf = (placement: AdapterPlacement) => string[];

type HubPlacement = Exclude<AdapterPlacement, "shared" | "output">;
const hubPlacements = ["pfeiffer", "houlsby", "parallel"] as const satisfies HubPlacement[];

/** All fields of AdapterHub's BnConfig; the reduction factor is the caller's. */
function bottleneckConfig(placement: HubPlacement): Record<string, unknown> {
  const houlsby = placement === "houlsby";
  const parallel = placement === "parallel";
  return {
    adapter_residual_before_ln: false,
    cross_adapter: false,
    dropout: float(0),
    factorized_phm_W: true,
    factorized_phm_rule: false,
    hypercomplex_nonlinearity: "glorot-uniform",
    init_weights: parallel ? "mam_adapter" : "bert",
    init_weights_seed: null,
    inv_adapter: null,
    inv_adapter_reduction_factor: null,
    is_parallel: parallel,
    learn_phm: true,
    leave_out: [],
    ln_after: false,
    ln_before: false,
    mh_adapter: houlsby,
    non_linearity: houlsby ? "swish" : "relu",
    original_ln_after: true,
    original_ln_before: placement === "pfeiffer",
    output_adapter: true,
    phm_bias: true,
    phm_c_init: "normal",
    phm_dim: 4,
    phm_init_range: 0.0001,
    phm_layer: false,
    phm_rank: 1,
    residual_before_ln: true,
    scaling: float(parallel ? 4 : 1),
    shared_W_phm: false,
    shared_phm_rule: true,
    stochastic_depth: float(0),
    use_gating: false,
  };
}

/** Fields that say how weights start or train, or that count only with `phm_layer` or `inv_adapter`. */
const withoutEffect = new Set([
  "dropout", // in training alone
  "factorized_phm_W",
  "factorized_phm_rule",
  "hypercomplex_nonlinearity",
  "init_weights",
  "init_weights_seed",
  "inv_adapter_reduction_factor",
  "learn_phm",
  "phm_bias",
  "phm_c_init",
  "phm_dim",
  "phm_init_range",
  "phm_rank",
  "reduction_factor",
  "shared_W_phm",
  "shared_phm_rule",
  "stochastic_depth",
]);

/**
 * The files of an adapter run in AdapterHub's format. A `shared` adapter becomes a pfeiffer adapter
 * whose layers hold equal weights; `"placement": "shared"` beside AdapterHub's own fields, which its
 * loader passes over, tells {@link readAdapterHub} what it was.
 */
export function adapterHubFiles(
  { baseModel, config, labels, weights }: ExportRequest,
  method: AdapterMethod,
  bottlenecksOf: BottlenecksOf,
): RunFile[] {
  const { type, pooledActivation } = encoderOf(config);
  const ownHead = method.poolerTrains === true || method.pooledActivation !== undefined;
  const { body, head } = splitHead(weights, config, ownHead ? ["head", "pooler"] : ["head"]);
  const activation = ownHead ? method.pooledActivation ?? pooledActivation : undefined;
  const shared = method.placement === "shared";
  const about = {
    hidden_size: config.hiddenSize,
    model_class: hubModelClass(config, ownHead),
    model_name: baseModel.name,
    model_type: type,
    version,
  };
  const adapterConfig = {
    ...about,
    ...(shared ? { placement: "shared" } : {}),
    config: {
      ...bottleneckConfig(hubPlacement(method.placement)),
      // The loader takes floor(hidden / factor) as the size; the half keeps rounding away from it.
      reduction_factor: float(config.hiddenSize / (method.size + 0.5)),
    },
    name: adapterName,
  };
  return [
    { name: weightsFile, tensors: shared ? repeatInLayers(body, bottlenecksOf) : body },
    ...headFiles(about, adapterName, { config, labels, weights: head, activation }),
    { name: adapterConfigFile, content: toJson(adapterConfig) },
  ];
}

function hubPlacement(placement: AdapterPlacement): HubPlacement {
  if (placement === "shared") return "pfeiffer";
  if (placement === "output") throw new Error("AdapterHub has no placement on the pooled vector.");
  return placement;
}

function repeatInLayers(body: NamedTensors, bottlenecksOf: BottlenecksOf): NamedTensors {
  const [source] = bottlenecksOf("shared");
  const repeated: NamedTensors = new Map();
  for (const module of bottlenecksOf("pfeiffer")) {
    for (const suffix of suffixes) {
      const tensor = body.get(`${source}.${suffix}`);
      if (tensor !== undefined) repeated.set(`${module}.${suffix}`, tensor);
    }
  }
  return repeated;
}

/**
 * Reads an adapter folder that AdapterHub or this project wrote. Throws a UserError where the
 * adapter is none of the placements that this engine computes, or has no plain classifier of the
 * encoder beside it.
 */
export async function readAdapterHub(
  folder: Folder,
  config: EncoderConfig,
  bottlenecksOf: BottlenecksOf,
): Promise<ReadMethod<AdapterMethod>> {
  const path = `${folder.name}/${adapterConfigFile}`;
  const fields = await readJsonObject(folder, adapterConfigFile);
  const { config: bottleneck, name, placement: ownPlacement } = fields;
  if (!isObject(bottleneck) || typeof name !== "string") {
    throw new UserError(`${path} lacks AdapterHub's "config" or "name".`);
  }
  const placement = placementOf(bottleneck, path);
  await checkNoPickle(folder, weightsFile, {
    pickle: "pytorch_adapter.bin",
    advice: withSafetensors,
  });
  const body = await readTensors(
    folder,
    weightsFile,
    (stored) => stored.replace(`.adapters.${name}.`, `.adapters.${adapterName}.`),
  );
  const { tensors: head, labels, ...headMethod } = await readHead(folder, config);
  const [firstModule] = bottlenecksOf(placement);
  // The tensors tell the size; a reduction factor may also be given layer by layer.
  const size = body.get(`${firstModule}.${suffixes[0]}`)?.shape[0] ?? 1;
  const shared = ownPlacement === "shared";
  return {
    method: {
      method: "adapter",
      size,
      placement: shared ? "shared" : placement,
      ...headMethod,
    },
    tensors: new Map([...(shared ? tieLayers(body, bottlenecksOf, folder.name) : body), ...head]),
    labels,
  };
}

/** The placement whose computation a BnConfig describes. Throws a UserError where it is none of ours. */
export function placementOf(bottleneck: Record<string, unknown>, path: string): HubPlacement {
  const plain = (placement: HubPlacement): Record<string, unknown> =>
    JSON.parse(toJson(bottleneckConfig(placement)));
  const differences = (placement: HubPlacement): string[] => {
    const expected: Record<string, unknown> = { architecture: null, ...plain(placement) };
    return Object.keys({ ...expected, ...bottleneck }).filter((field) =>
      !withoutEffect.has(field) && field in bottleneck &&
      JSON.stringify(bottleneck[field]) !== JSON.stringify(expected[field])
    );
  };
  const ranked = hubPlacements
    .map((placement) => ({ placement, fields: differences(placement) }))
    .sort((a, b) => a.fields.length - b.fields.length);
  const { placement, fields } = ranked[0];
  if (fields.length > 0) {
    const [field] = fields;
    throw new UserError(
      `${path}: "${field}" is ${shown(bottleneck[field])}, so this is none of the adapters ` +
        `that are supported: seq_bn (pfeiffer), double_seq_bn (houlsby), par_bn (parallel).`,
    );
  }
  return placement;
}

/** Takes the one bottleneck of a `shared` adapter back out of its layers. */
function tieLayers(
  body: NamedTensors,
  bottlenecksOf: BottlenecksOf,
  folder: string,
): NamedTensors {
  const [first, ...others] = bottlenecksOf("pfeiffer");
  const [target] = bottlenecksOf("shared");
  const tied: NamedTensors = new Map();
  for (const suffix of suffixes) {
    const tensor = body.get(`${first}.${suffix}`);
    if (tensor === undefined) continue;
    for (const module of others) {
      const data = body.get(`${module}.${suffix}`)?.data;
      if (data === undefined || !data.every((value, i) => Object.is(value, tensor.data[i]))) {
        throw new UserError(
          `${folder}: its config says "placement": "shared", but "${module}.${suffix}" differs from ` +
            `the first layer's. Remove that field to read it as a pfeiffer adapter.`,
        );
      }
    }
    tied.set(`${target}.${suffix}`, tensor);
  }
  return tied;
}
