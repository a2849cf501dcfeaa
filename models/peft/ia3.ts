/**
 * IA³ (Liu et al. 2022, arXiv:2205.05638) as the PEFT library defines it: one trained vector l a layer, which
 * scales what a layer gives, y = (x Wᵀ + b) ⊙ l, or, for feed-forward layers, what it takes, y = (x ⊙ l) Wᵀ + b.
 * All l start at 1. In the paper: keys, values, and what the feed-forward's second layer takes.
 *
 * PEFT's choice for BERT and RoBERTa, which is the usual one here, names that layer `output.dense` among target
 * and feed-forward modules alike. Names match as ends, so that `attention.output.dense`, attention's projection
 * of the heads, is scaled too, on its input: a fourth vector a layer, which the paper does not have. DistilBERT's
 * layer is `lin2` and matches alone: three vectors a layer.
 */
import { applyEnd } from "../../engine/linear_end.ts";
import { scaleColumns } from "../../engine/ops/mod.ts";
import type { EncoderConfig } from "../encoders/mod.ts";
import type { LinearSite, LinearWrap } from "../nn/wrapping.ts";
import { type Fold, type MethodDefinition, SettingError } from "./method.ts";
import { modulesToSave, peftFiles, readPeftFolder } from "./peft_folder.ts";
import { ia3ModulesIn, otherModules } from "./peft_targets.ts";
import { areUsual, namesModule, targetNames } from "./targets.ts";

export interface Ia3Method {
  method: "ia3";
  /** Module names as PEFT takes them, or parts: see targets.ts. */
  targetModules: string[];
  /** Those of them whose input is scaled, not their output; where not given, the usual ones that are targeted. */
  feedforwardModules?: string[];
}

/** PEFT's own choice for BERT, by the parts' names: `output` stands for `output.dense` there. */
const usualTargets = ["key", "value", "output"];
const usualFeedforward = ["output"];

const settings = {
  ia3_target_modules: {
    kind: "names",
    help: "Layers that IA3 scales, by name",
    shown: usualTargets.join(),
  },
  ia3_feedforward_modules: {
    kind: "names",
    help: "Those of them whose input is scaled",
    shown: usualFeedforward.join(),
  },
} as const;

export const ia3: MethodDefinition<Ia3Method, typeof settings> = {
  name: "ia3",
  label: "IA3",
  compared: false,
  trainsAll: false,
  settings,
  plan: ({ ia3_target_modules: targets = usualTargets, ia3_feedforward_modules: feedforward }) => [
    {
      method: "ia3",
      targetModules: targets,
      ...(feedforward && { feedforwardModules: feedforward }),
    },
  ],
  runName: (method) => ["ia3", ...differences(method, "name")].join("-"),
  configLabel: (method) => differences(method, "label").join(", ") || "-",
  report(method, config) {
    const { targets, feedforward } = namesOf(method, config);
    return { ia3_target_modules: targets, ia3_feedforward_modules: feedforward };
  },
  fit(method, config) {
    const { targets, feedforward } = namesOf(method, config);
    const other = feedforward.find((name) => !targets.includes(name));
    if (other !== undefined) {
      throw new SettingError(
        "ia3_feedforward_modules",
        `"${other}" is none of the layers that IA3 scales: ${targets.join(", ")}.`,
      );
    }
    return method;
  },

  wrap(method, config) {
    const { targets, feedforward } = namesOf(method, config);
    return {
      trains: ({ role }) => role === "head",
      linear: (site) =>
        namesModule(targets, site.scope.name)
          ? scaled(site, namesModule(feedforward, site.scope.name))
          : undefined,
    };
  },

  merge(method, config) {
    const { targets, feedforward } = namesOf(method, config);
    return ({ scope: { name } }) =>
      namesModule(targets, name) ? folded(namesModule(feedforward, name)) : undefined;
  },

  files(request, method) {
    const { targets, feedforward } = namesOf(method, request.config);
    return peftFiles(request, {
      exclude_modules: null,
      feedforward_modules: feedforward,
      init_ia3_weights: true,
      modules_to_save: modulesToSave(request),
      peft_type: "IA3",
      target_modules: targets,
    });
  },
  peftType: "IA3",
  owns: (fields) => fields?.peft_type === "IA3",
  async read(folder, config) {
    const { fields, tensors, labels } = await readPeftFolder(folder, config);
    fields.only(["exclude_modules", "feedforward_modules", "init_ia3_weights", "target_modules"]);
    if (otherModules(fields, config).length > 0) fields.fail("modules_to_save", "only the head");
    const { targets, feedforward } = ia3ModulesIn(fields, config);
    // Both by one kind of names: PEFT wants each feed-forward module among its targets.
    const isUsual = areUsual(config, targets, usualTargets, "ia3_target_modules") &&
      areUsual(config, feedforward, usualFeedforward, "ia3_feedforward_modules");
    const targetModules = isUsual ? usualTargets : targets;
    const method: Ia3Method = { method: "ia3", targetModules };
    const { feedforward: usual } = namesOf(method, config);
    if (!isUsual && feedforward.toSorted().join() !== usual.toSorted().join()) {
      method.feedforwardModules = feedforward;
    }
    return { method, tensors, labels };
  },
};

/** l [out, 1] on a layer's result, or [1, in] on its input. */
function scaled({ scope, inputs, outputs }: LinearSite, onInput: boolean): LinearWrap {
  return {
    around(plain) {
      const l = scope.as("peft").tensor("ia3_l", onInput ? [1, inputs] : [outputs, 1], {
        init: { kind: "ones" },
        kind: "vector",
      });
      return (x, end = {}) =>
        onInput ? plain(scaleColumns(x, l()), end) : applyEnd(scaleColumns(plain(x), l()), end);
    },
  };
}

/** l within W: on its columns where it scales the input, else on its rows and on b. */
function folded(onInput: boolean): Fold {
  const inputsOf = (weight: Float32Array, l: Float32Array) => weight.length / l.length;
  return {
    fold({ weight, bias }, trained) {
      const l = trained("ia3_l");
      if (onInput) return { weight: weight.map((value, i) => value * l[i % l.length]), bias };
      const inputs = inputsOf(weight, l);
      return {
        weight: weight.map((value, i) => value * l[Math.floor(i / inputs)]),
        bias: bias?.map((value, row) => value * l[row]),
      };
    },
    unfold({ weight, bias }, trained, base) {
      const l = trained("ia3_l");
      const inputs = inputsOf(weight, l);
      const factor = (i: number) => l[onInput ? i % l.length : Math.floor(i / inputs)];
      const lost = (factor: number) => Math.abs(factor) < leastFactor;
      const divided = (value: number, factor: number, before: number) =>
        lost(factor) ? before : value / factor;
      return {
        weight: weight.map((value, i) => divided(value, factor(i), base.weight[i])),
        bias: onInput ? bias : bias?.map((value, row) => divided(value, l[row], base.bias![row])),
        lost: l.filter(lost).length,
      };
    },
  };
}

/** A weight of usual size times less than this is not kept in f32 to its last digit, or is 0. */
const leastFactor = 1e-30;

function namesOf({ targetModules, feedforwardModules }: Ia3Method, config: EncoderConfig) {
  const of = (modules: string[]) => targetNames(config, modules, "ia3_feedforward_modules");
  const targets = targetNames(config, targetModules, "ia3_target_modules");
  const usual = of(usualFeedforward);
  return {
    targets,
    feedforward: feedforwardModules
      ? of(feedforwardModules)
      : targets.filter((name) => namesModule(usual, name)),
  };
}

/** What differs from the usual, in a folder's name or in a table. */
function differences(
  { targetModules, feedforwardModules }: Ia3Method,
  style: "name" | "label",
): string[] {
  const parts: string[] = [];
  if (targetModules.join() !== usualTargets.join()) parts.push(targetModules.join("+"));
  if (feedforwardModules) {
    parts.push(`ff${style === "name" ? "_" : "+"}${feedforwardModules.join("+") || "none"}`);
  }
  return parts;
}
