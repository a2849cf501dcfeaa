/**
 * LoRA (Hu et al. 2021, arXiv:2106.09685) as the PEFT library defines it:
 * y = x Wᵀ + b + s · (dropout(x) Aᵀ) Bᵀ, with s = α/r, or α/√r for rsLoRA (arXiv:2312.03732); and DoRA
 * (arXiv:2402.09353), which gives the rows of W + s B A lengths of their own: see dora.ts.
 */
import { fnv1a } from "../../engine/hash.ts";
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import type { LinearSite, LinearWrap, LoraWrap } from "../nn/wrapping.ts";
import { doraLayer } from "./dora.ts";
import { foldLora } from "./lora_merge.ts";
import { loraBiases, loraFiles, moduleEnd, readLora } from "./lora_files.ts";
import type { Factor, MethodDefinition } from "./method.ts";
import { SettingError } from "./method.ts";
import { namesModule, targetNames } from "./targets.ts";

export interface LoraMethod {
  method: "lora";
  rank: number;
  alpha: number;
  /** Dropout probability on LoRA's input only. */
  dropout: number;
  /** Module names as PEFT takes them, or parts: see targets.ts. */
  targetModules: string[];
  /** Scale by α/√r instead of α/r (rank-stabilised LoRA). */
  useRslora: boolean;
  /** Weight-decomposed LoRA. */
  useDora: boolean;
  /** The encoder layers that get LoRA, from 0; none named: all. */
  layers: number[];
  /** Modules that train whole and are saved, besides the classifier. */
  modulesToSave: string[];
  /** Which biases train: none, all, or those of the layers that have LoRA. */
  bias: (typeof loraBiases)[number];
  /** Ranks and α by module name (regular expressions, as PEFT's), where a folder of PEFT's has them. */
  rankPattern: Record<string, number>;
  alphaPattern: Record<string, number>;
}

/** What the original uses, besides the settings of {@link loraDefaults}. */
const defaultRanks = [4, 8, 16];
const alphaPerRank = 2;

/** The settings of LoRA that the original uses, for a rank. */
export function loraDefaults(rank: number): LoraMethod {
  return {
    method: "lora",
    rank,
    alpha: alphaPerRank * rank,
    dropout: 0.1,
    targetModules: ["query", "value"],
    useRslora: false,
    useDora: false,
    layers: [],
    modulesToSave: [],
    bias: "none",
    rankPattern: {},
    alphaPattern: {},
  };
}

const shown = loraDefaults(1);

const settings = {
  rank: { kind: "wholes", help: "LoRA ranks, one run each", shown: defaultRanks.join() },
  lora_alpha: {
    kind: "factor",
    help: "A number, or a multiple of the rank",
    shown: `${alphaPerRank}r`,
  },
  lora_dropout: {
    kind: "probability",
    help: "Dropout on LoRA's input",
    shown: `${shown.dropout}`,
  },
  lora_target_modules: {
    kind: "names",
    help: "Layers that LoRA changes, by name",
    shown: shown.targetModules.join(),
  },
  use_rslora: { kind: "switch", help: "Scale LoRA by alpha/sqrt(r), not alpha/r", shown: "off" },
  use_dora: { kind: "switch", help: "Learn the lengths of W's rows too (DoRA)", shown: "off" },
  lora_layers: { kind: "numbers", help: "Encoder layers that get LoRA, from 0", shown: "all" },
  lora_modules_to_save: {
    kind: "names",
    help: "Modules that train whole, such as pooler",
    shown: "none",
  },
  lora_bias: {
    kind: loraBiases,
    help: "Biases that train: none, all or lora_only",
    shown: shown.bias,
  },
} as const;

export const lora: MethodDefinition<LoraMethod, typeof settings> = {
  name: "lora",
  label: "LoRA",
  compared: true,
  trainsAll: false,
  settings,

  plan: (given) =>
    (given.rank ?? defaultRanks).map((rank) => {
      const defaults = loraDefaults(rank);
      return {
        ...defaults,
        alpha: alphaOf(given.lora_alpha, rank),
        dropout: given.lora_dropout ?? defaults.dropout,
        targetModules: given.lora_target_modules ?? defaults.targetModules,
        useRslora: given.use_rslora ?? defaults.useRslora,
        useDora: given.use_dora ?? defaults.useDora,
        layers: given.lora_layers ?? defaults.layers,
        modulesToSave: given.lora_modules_to_save ?? defaults.modulesToSave,
        bias: given.lora_bias ?? defaults.bias,
      };
    }),

  runName: (method) => [`lora-r${method.rank}`, ...differences(method, "name")].join("-"),
  configLabel: (method) => [`r=${method.rank}`, ...differences(method, "label")].join(", "),

  report: (method) => ({
    rank: method.rank,
    lora_alpha: method.alpha,
    lora_dropout: method.dropout,
    lora_target_modules: method.targetModules,
    use_rslora: method.useRslora,
    use_dora: method.useDora,
    lora_layers: method.layers,
    lora_modules_to_save: method.modulesToSave,
    lora_bias: method.bias,
    ...(Object.keys(method.rankPattern).length > 0 && { rank_pattern: method.rankPattern }),
    ...(Object.keys(method.alphaPattern).length > 0 && { alpha_pattern: method.alphaPattern }),
  }),

  fit(method, config) {
    const missing = method.layers.find((layer) => layer >= config.layers);
    if (missing !== undefined) {
      throw new SettingError(
        "lora_layers",
        `There is no layer ${missing}: the model has layers 0 to ${config.layers - 1}.`,
      );
    }
    const { specs, linears } = declareModel(config, 2);
    for (const module of method.modulesToSave) {
      if (specs.some(({ name }) => isWithin(name, [module]))) continue;
      const pieces = specs.flatMap(({ name }) => name.split(".").slice(0, -1));
      const known = new Set(pieces.filter((piece) => !/^\d+$/.test(piece)));
      throw new SettingError(
        "lora_modules_to_save",
        `No module is called "${module}". There are ${[...known].join(", ")}.`,
      );
    }
    if (!linears.some(targetsOf(method, config))) {
      const { targetModules, layers, modulesToSave } = method;
      const within = layers.length > 0 ? ` within the layers ${layers.join(", ")}` : "";
      const beside = modulesToSave.length > 0 ? ` outside ${modulesToSave.join(", ")}` : "";
      throw new SettingError(
        "lora_target_modules",
        `No layer is called ${targetModules.join(" or ")}${within}${beside}: LoRA changes none.`,
      );
    }
    return method;
  },

  wrap(method, config) {
    const targets = targetsOf(method, config);
    const saved = ({ name }: { name: string }) => isWithin(name, method.modulesToSave);
    const targeted = new Set(
      declareModel(config, 2).linears.filter(targets).map(({ scope }) => `${scope.name}.bias`),
    );
    return {
      trains: (tensor) =>
        tensor.role === "head" || saved(tensor) ||
        (tensor.kind === "bias" &&
          (method.bias === "all" || (method.bias === "lora_only" && targeted.has(tensor.name)))),
      linear: (site) => targets(site) ? wrapLinear(site, method) : undefined,
    };
  },

  merge(method, config) {
    const targets = targetsOf(method, config);
    const { useDora } = method;
    return (site) => targets(site) ? foldLora({ ...sizeOf(site, method), useDora }) : undefined;
  },

  files: loraFiles,
  peftType: "LORA",
  owns: (fields) => fields?.peft_type === "LORA",
  read: (folder, config) => readLora(folder, config, loraDefaults),
};

/** Which layers get LoRA: those that the target modules name, in the layers asked for; not what trains whole. */
function targetsOf(method: LoraMethod, config: EncoderConfig): (site: LinearSite) => boolean {
  const { targetModules, layers, modulesToSave } = method;
  const names = targetNames(config, targetModules, "lora_target_modules");
  return ({ scope: { name, layer } }) =>
    namesModule(names, name) && !isWithin(`${name}.weight`, modulesToSave) &&
    (layers.length === 0 || (layer !== undefined && layers.includes(layer)));
}

/** The rank of a layer's A and B, and the factor s on their product. */
function sizeOf({ scope: { name } }: LinearSite, method: LoraMethod) {
  const rank = patterned(method.rankPattern, name) ?? method.rank;
  const alpha = patterned(method.alphaPattern, name) ?? method.alpha;
  return { rank, scale: method.useRslora ? alpha / Math.sqrt(rank) : alpha / rank };
}

/** A [rank, in], kaiming-uniform (a = √5), and B [out, rank], zero, beside a layer. */
function wrapLinear(site: LinearSite, method: LoraMethod): LinearWrap {
  const { scope, inputs, outputs } = site;
  const { rank, scale } = sizeOf(site, method);
  const added = scope.as("peft");
  const wrap: LoraWrap = {
    rank,
    scale,
    dropout: method.dropout,
    weights: (stack) => ({
      a: added.tensor("lora_A.weight", [rank, inputs], {
        init: { kind: "kaimingUniform", fanIn: inputs },
        kind: "matrix",
        stack: stack && `${stack}.lora_A`,
      }),
      b: added.tensor("lora_B.weight", [outputs, rank], {
        init: { kind: "zeros" },
        kind: "matrix",
        stack: stack && `${stack}.lora_B`,
      }),
    }),
  };
  return method.useDora ? doraLayer(wrap, added, outputs) : { lora: wrap };
}

/** A pattern's value for a module: that of the first expression that matches. */
function patterned(pattern: Record<string, number>, module: string): number | undefined {
  const key = Object.keys(pattern).find((key) => moduleEnd(key).test(module));
  return key === undefined ? undefined : pattern[key];
}

/** Whether a tensor belongs to one of the modules, by the end of their names. */
function isWithin(tensor: string, modules: readonly string[]): boolean {
  const parts = tensor.split(".");
  return parts.some((_, count) =>
    count > 0 && namesModule(modules, parts.slice(0, count).join("."))
  );
}

function alphaOf(alpha: Factor | undefined, rank: number): number {
  if (alpha === undefined) return loraDefaults(rank).alpha;
  return alpha.kind === "value" ? alpha.value : alpha.factor * rank;
}

/**
 * What differs from the defaults: short in a folder's name, readable in a table. Each part tells what it is of,
 * so that runs which differ have names which differ.
 */
function differences(method: LoraMethod, style: "name" | "label"): string[] {
  const defaults = loraDefaults(method.rank);
  const short = style === "name";
  const parts: string[] = [];
  if (method.alpha !== defaults.alpha) parts.push(`${short ? "a" : "alpha="}${method.alpha}`);
  if (method.dropout !== defaults.dropout) {
    parts.push(`${short ? "d" : "dropout="}${method.dropout}`);
  }
  if (method.targetModules.join() !== defaults.targetModules.join()) {
    parts.push(method.targetModules.join("+"));
  }
  if (method.useRslora) parts.push("rslora");
  if (method.useDora) parts.push("dora");
  if (method.layers.length > 0) {
    parts.push(short ? `l${method.layers.join("_")}` : `layers=${method.layers.join("+")}`);
  }
  if (method.modulesToSave.length > 0) {
    parts.push(`${short ? "save_" : "+"}${method.modulesToSave.join("+")}`);
  }
  if (method.bias !== defaults.bias) parts.push(`bias${short ? "_" : "="}${method.bias}`);
  for (
    const [name, pattern] of [["ranks", method.rankPattern], [
      "alphas",
      method.alphaPattern,
    ]] as const
  ) {
    if (Object.keys(pattern).length === 0) continue;
    parts.push(short ? `${name}_${patternName(pattern)}` : `${name} ${patternText(pattern)}`);
  }
  return parts;
}

/** `query=4+value=8`, in the order in which the expressions are tried. */
const patternText = (pattern: Record<string, number>): string =>
  Object.entries(pattern).map(([key, value]) => `${key}=${value}`).join("+");

/** A pattern in a folder's name: its text, or a hash of it where that is long or has expressions. */
function patternName(pattern: Record<string, number>): string {
  const text = patternText(pattern);
  const plain = Object.keys(pattern).every((key) => /^[\w.]+$/.test(key));
  if (plain && text.length <= 40) return text;
  return fnv1a(JSON.stringify(Object.entries(pattern))).toString(16).padStart(8, "0");
}
