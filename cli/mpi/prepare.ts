/** Before an experiment trains: a device, model and data on every rank, and whether these are the same. */
import project from "../../deno.json" with { type: "json" };
import { counted, UserError } from "../../models/errors.ts";
import { sumsOf } from "../../models/host/checksums.ts";
import { tokenizerFileNames } from "../../models/text/tokenizer.ts";
import { inSnakeCase } from "../shared/format.ts";
import type { Fact } from "../train/facts.ts";
import type { Loaded } from "../train/load.ts";
import type { CreateOptions, DeviceHandle, TrainingTools } from "../train/tools.ts";
import type { Communicator } from "./communicator.ts";
import { rankName, together } from "./together.ts";

/** A device for each rank. All have bindings of one size, since that decides how parameters are cut into slabs. */
export async function createDevices<Device extends DeviceHandle>(
  ranks: Communicator,
  tools: Pick<TrainingTools<Device>, "createDevice">,
  options: CreateOptions | undefined,
): Promise<{ device: Device; adapters: string[] }> {
  const { result: device, told } = await together(
    ranks,
    () => tools.createDevice(options),
    ({ info, maxBindingBytes }) => ({ adapter: info.description, maxBindingBytes }),
  );
  const adapters = told.map(({ adapter }) => adapter);
  const sizes = told.map((each) => each.maxBindingBytes);
  const maxBindingBytes = Math.min(...sizes);
  if (Math.max(...sizes) === maxBindingBytes) return { device, adapters };
  device.destroy();
  const create = () => tools.createDevice({ ...options, maxBindingBytes });
  return { device: (await together(ranks, create, () => true)).result, adapters };
}

/** What the ranks of an experiment have to agree in, by what an error calls it. */
function identityOf(loaded: Loaded): Record<string, string> {
  const { model, weights, tokenizer, dataset, split: { train, validation, test } } = loaded;
  const config = Object.entries(model.config)
    .map(([name, value]) => [`the model's ${inSnakeCase(name)}`, `${value}`]);
  const tokenizerFiles = tokenizerFileNames.map((name) => {
    const file = tokenizer.files.find((file) => file.name === name);
    const sum = file ? sumsOf([{ name, content: file.bytes }]).slice(0, 64) : "none";
    return [`the tokenizer's ${name}`, sum];
  });
  return {
    "this program's version": project.version,
    "Deno's version": Deno.version.deno,
    "the model": model.name,
    ...Object.fromEntries(config),
    "the model's weights": weights,
    ...Object.fromEntries(tokenizerFiles),
    "the rows of the data": dataset.hash,
    "the labels": dataset.labels.join(", "),
    "the rows to train, validate and test on": [train, validation, test].map((part) => part.length)
      .join(", "),
  };
}

/** Loads on all ranks; gives their hosts, too. Throws a UserError where the ranks would not train the same. */
export async function loadAll(
  ranks: Communicator,
  load: () => Promise<Loaded>,
): Promise<{ loaded: Loaded; hosts: string[] }> {
  const { result: loaded, told } = await together(ranks, load, (loaded) => ({
    host: ranks.host,
    identity: identityOf(loaded),
  }));
  const [first] = told;
  for (const [rank, { host, identity }] of told.entries()) {
    for (const [what, value] of Object.entries(identity)) {
      if (value === first.identity[what]) continue;
      throw new UserError(
        `The ranks differ in ${what}: ${rankName(0, first.host)} has ${first.identity[what]}, ` +
          `${rankName(rank, host)} ${value}. They can train together on the same only.`,
      );
    }
  }
  return { loaded, hosts: told.map(({ host }) => host) };
}

/** What the reader is told of the ranks. */
export function factsOfRanks(
  { size, library }: Communicator,
  { hosts, adapters }: { hosts: readonly string[]; adapters: readonly string[] },
): Fact[] {
  const where = [...new Set(hosts)].map((host) => {
    const own = hosts.filter((other) => other === host).length;
    return own > 1 ? `${own} on ${host}` : host;
  });
  const kinds = [...new Set(adapters)];
  const facts: Fact[] = [["Ranks", `${size}: ${where.join(", ")} (${library})`]];
  if (kinds.length > 1) {
    const what = `${counted(kinds.length, "kind")}: ${kinds.join("; ")}`;
    facts.push(["Adapters", `${what}. Their rounding differs; all go on from rank 0's weights`]);
  }
  return facts;
}
