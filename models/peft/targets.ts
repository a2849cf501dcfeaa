/** Which linear layers the names of target modules mean, by PEFT's rules. */
import { declareModel, type EncoderConfig } from "../encoders/mod.ts";
import type { LinearSite } from "../nn/wrapping.ts";
import { SettingError } from "./method.ts";

/** The number of classes does not matter for what can be targeted. */
const linearsOf = (config: EncoderConfig): LinearSite[] => declareModel(config, 2).linears;

/** PEFT's rule: a module matches that is one of the names or ends with ".<one>". */
export function namesModule(names: readonly string[], module: string): boolean {
  return names.some((name) => module === name || module.endsWith(`.${name}`));
}

/** The names of the layers that some names mean. */
function modulesOf(linears: readonly LinearSite[], names: readonly string[]): string[] {
  return linears.map(({ scope }) => scope.name).filter((module) => namesModule(names, module));
}

/** What users call a layer: its last word, such as `lin1`, or `output.dense` where other parts end so too. */
function shortName({ scope, part }: LinearSite, linears: readonly LinearSite[]): string {
  const word = scope.name.slice(scope.name.lastIndexOf(".") + 1);
  const alone = linears.every((other) =>
    other.part === part || !namesModule([word], other.scope.name)
  );
  return alone ? word : scope.local;
}

/**
 * Target modules as PEFT takes them. A name that no layer has may be a part's, such as `query`, which then
 * stands for the encoder's own name of it (`q_lin`): so one list of targets serves every encoder. Throws a
 * SettingError for a name that is neither.
 */
export function targetNames(
  config: EncoderConfig,
  targets: readonly string[],
  setting: string,
): string[] {
  const linears = linearsOf(config);
  const names = targets.map((target) => {
    if (modulesOf(linears, [target]).length > 0) return target;
    const site = linears.find(({ part }) => part === target);
    if (site) return shortName(site, linears);
    const known = new Set(linears.map((site) => shortName(site, linears)));
    throw new SettingError(
      setting,
      `No linear layer is called "${target}". There are ${[...known].join(", ")}.`,
    );
  });
  return [...new Set(names)];
}

/** Whether the names that a folder of PEFT's has mean the layers that `usual` stands for. */
export function areUsual(
  config: EncoderConfig,
  names: readonly string[],
  usual: readonly string[],
  setting: string,
): boolean {
  const linears = linearsOf(config);
  const meant = modulesOf(linears, targetNames(config, usual, setting));
  return modulesOf(linears, names).join() === meant.join();
}

/** The shortest names that mean exactly the layers of which `matches` is true. */
export function namesOfLayers(
  config: EncoderConfig,
  matches: (module: string) => boolean,
): string[] {
  const linears = linearsOf(config);
  const names = linears.filter(({ scope }) => matches(scope.name)).map((site) => {
    const short = shortName(site, linears);
    return modulesOf(linears, [short]).every(matches) ? short : site.scope.name;
  });
  return [...new Set(names)];
}

/** Without the names that no layer has, which PEFT passes over. */
export function knownTargets(config: EncoderConfig, names: readonly string[]): string[] {
  const linears = linearsOf(config);
  return names.filter((name) => modulesOf(linears, [name]).length > 0);
}
