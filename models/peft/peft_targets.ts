/** Which modules the config of a PEFT folder means, by PEFT's rules (peft/tuners/tuners_utils.py). */
import type { EncoderConfig } from "../encoders/mod.ts";
import { headModules, type PeftFields } from "./peft_folder.ts";
import { knownTargets, namesModule, namesOfLayers } from "./targets.ts";

/** What PEFT takes for every linear layer but the head's, in small letters or large. */
const allLinear = "all-linear";

/** Whether a module is one that a field means: a list of names' ends, or an expression for whole names. */
function matcherOf(config: PeftFields, field: string): (module: string) => boolean {
  const value = config.fields[field];
  if (typeof value !== "string") {
    const names = config.names(field);
    return (module) => namesModule(names, module);
  }
  if (value.toLowerCase() === allLinear && field === "target_modules") return () => true;
  const expression = config.expression(field, () => new RegExp(`^(?:${value})$`, "u"));
  return (module) => expression.test(module);
}

/** Whether a module is targeted and not excluded. */
function targetedBy(config: PeftFields): (module: string) => boolean {
  const targeted = matcherOf(config, "target_modules");
  if (config.isNeutral("exclude_modules")) return targeted;
  const excluded = matcherOf(config, "exclude_modules");
  return (module) => targeted(module) && !excluded(module);
}

/** Whether names are all that a config's fields have, so that they can be taken as they are. */
const hasNames = (config: PeftFields, ...fields: string[]): boolean =>
  config.isNeutral("exclude_modules") &&
  fields.every((field) => typeof config.fields[field] !== "string");

/**
 * The target modules as names, without those that no layer has, which PEFT passes over. Throws a UserError
 * where a field is no list, or an expression that no layer of the encoder matches.
 */
export function targetsIn(config: PeftFields, encoder: EncoderConfig): string[] {
  if (hasNames(config, "target_modules")) {
    return knownTargets(encoder, config.names("target_modules"));
  }
  const names = namesOfLayers(encoder, targetedBy(config));
  return names.length > 0
    ? names
    : config.fail("target_modules", `that is no linear layer of ${encoder.type}; only what is one`);
}

/** IA³'s target modules and, among them, its feed-forward modules: as {@link targetsIn}. */
export function ia3ModulesIn(
  config: PeftFields,
  encoder: EncoderConfig,
): { targets: string[]; feedforward: string[] } {
  const targets = targetsIn(config, encoder);
  const fed = matcherOf(config, "feedforward_modules");
  if (hasNames(config, "target_modules", "feedforward_modules")) {
    return { targets, feedforward: knownTargets(encoder, config.names("feedforward_modules")) };
  }
  // By kind, since PEFT wants each name of the one list in the other.
  const targeted = targetedBy(config);
  const feedforward = namesOfLayers(encoder, (module) => targeted(module) && fed(module));
  const others = namesOfLayers(encoder, (module) => targeted(module) && !fed(module));
  return { targets: [...others, ...feedforward], feedforward };
}

/** The modules to save that are no part of the head, which always is. */
export function otherModules(config: PeftFields, encoder: EncoderConfig): string[] {
  const head = headModules(encoder);
  return config.names("modules_to_save", []).filter((name) => !head.includes(name));
}
