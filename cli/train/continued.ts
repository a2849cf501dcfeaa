/** Training that goes on from an adapter's folder: `--model_name` names that in a model's place. */
import { join } from "node:path";
import { messageOf, UserError } from "../../models/errors.ts";
import { weightsFile } from "../../models/files/shards.ts";
import { exists } from "../../models/host/files.ts";
import { isFolder, type ResolvedModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { continuedWeights } from "../../models/peft/continued.ts";
import type { Given, MethodDefinition, Setting } from "../../models/peft/method.ts";
import { definitionOf, type Method } from "../../models/peft/methods.ts";
import { adapterConfigFile } from "../../models/peft/run_files.ts";
import { predictCommand } from "../shared/shell.ts";
import type { TrainedRun } from "../trained/run.ts";
import type { Flags } from "./flags.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";

/** An adapter with which training goes on. */
export interface Continued {
  method: Method;
  /** Its base. */
  model: ResolvedModel;
  /** Tools that start from it. */
  tools<Device extends DeviceHandle>(tools: TrainingTools<Device>): TrainingTools<Device>;
}

/** Whether a name is an adapter's folder, and no whole model's that has an adapter's config beside it. */
export async function isAdapter(name: string): Promise<boolean> {
  return await isFolder(name) && await exists(join(name, adapterConfigFile)) &&
    !(await exists(join(name, weightsFile)));
}

/**
 * The adapter that `--model_name` names; undefined where it names a model. Throws a UserError where it cannot be read or
 * its base cannot be had, and one (wrong use) where a flag asks for another method, or another setting of it.
 */
export async function findContinued(
  flags: Flags,
  hub: () => HubSettings,
): Promise<Continued | undefined> {
  const folder = flags.modelName;
  if (folder === undefined || !(await isAdapter(folder))) return undefined;
  const run = await readAdapter(folder, hub());
  checkFlags(flags, run, folder);
  const notices = run.model.notices.filter((notice) => !run.labelNotices.includes(notice));
  const model = { ...run.model, notices, continuedFrom: folder };
  const labels = run.labelNotices.length === 0 ? run.labels : undefined;
  return {
    method: run.method,
    model,
    tools: (tools) => ({
      ...tools,
      resolveModel: () => Promise.resolve(model),
      async openWeights(model, wanted) {
        const base = await tools.openWeights(model, wanted);
        const trained = { weights: run.weights, labels, folder };
        return continuedWeights(trained, base, { config: model.config, labels: wanted });
      },
    }),
  };
}

async function readAdapter(folder: string, hub: HubSettings): Promise<TrainedRun> {
  const { findRun } = await import("../trained/run.ts"); // needed for an adapter alone
  try {
    return await findRun(folder, undefined, hub);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const what = `${folder} is an adapter, from which training could go on, but: ${
      messageOf(error)
    }`;
    if (error.remedy?.kind !== "otherModel") throw new UserError(what, { cause: error });
    throw new UserError(
      `${what} Write a folder with the model that it lies over as "base_model_name_or_path" in its ` +
        `${adapterConfigFile}, or label texts with it: ${predictCommand(folder)} --model_name BASE`,
    );
  }
}

/** A value in a sentence, and to be compared: PEFT does not keep the order of lists. */
const shown = (value: unknown): string =>
  Array.isArray(value) ? [...value].map(String).sort().join(",") : String(value);

function checkFlags(flags: Flags, { method, model }: TrainedRun, folder: string): void {
  const refuse = (asked: string, own: string): never => {
    throw new UserError(
      `${asked}, but the adapter in ${folder} has ${own}, with which it goes on. Leave the flag ` +
        `out, or train anew over its base: --model_name ${model.name}`,
      { exitCode: 2 },
    );
  };
  if (flags.method !== undefined && flags.method !== method.method) {
    refuse(`--method is ${flags.method}`, method.method);
  }
  // Its type's names are lost: settings are compared as a run's files have them.
  const definition = definitionOf(method) as unknown as MethodDefinition<
    Method,
    Record<string, Setting>
  >;
  const own = definition.report(method, model.config);
  const all: Readonly<Record<string, unknown>> = flags.settings;
  const given = Object.entries(all).filter(([name, value]) =>
    name in definition.settings && value !== undefined && value !== false
  );
  // A plan has a run for each value of a list; what depends on the rank is taken at the adapter's own.
  const lists = Object.entries(definition.settings).filter(([, { kind }]) => kind === "wholes");
  const asked = Object.fromEntries([...lists.map(([name]) => [name, [own[name]]]), ...given]);
  for (const planned of definition.plan(asked as Given<Record<string, Setting>>)) {
    const wanted = definition.report(planned, model.config);
    for (const [name] of given) {
      if (shown(wanted[name]) === shown(own[name])) continue;
      refuse(`--${name} is ${shown(wanted[name])}`, shown(own[name]));
    }
  }
}
