/** A name on the hub, told as a folder is, without downloading what it holds. */
import { chooseTable } from "../../models/data/choose.ts";
import { isTable } from "../../models/data/kind.ts";
import { UserError } from "../../models/errors.ts";
import { HubError } from "../../models/hub/errors.ts";
import type { Repository } from "../../models/hub/repository.ts";
import { openRepository } from "../../models/host/repository.ts";
import { repositoriesOf } from "../../models/hub/model_files.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { adapterConfigFile } from "../../models/peft/run_files.ts";
import { formatBytes } from "../shared/format.ts";
import { quoted } from "../shared/shell.ts";
import { inspectFolder } from "./folder.ts";
import { type Found, prediction } from "./found.ts";

/** The repositories that a name may mean: `bert-base-uncased`, `org/name`, `datasets/org/name`, or a page's address. */
export function hubRepositories(name: string, endpoint: string): Repository[] {
  const hosts = [endpoint, "https://huggingface.co"];
  const host = hosts.find((host) => name.startsWith(`${host}/`));
  const id = host === undefined
    ? name
    : name.slice(host.length + 1).replace(/\/(tree|blob)\/.*$/, "");
  const dataset = id.startsWith("datasets/");
  const short = dataset ? id.slice("datasets/".length) : id;
  // `data/emotions.csv` is a file that is not there, no repository.
  if (!/^[\w-][\w.-]*(\/[\w.-]+)?$/.test(short) || isTable(short)) return [];
  if (short.endsWith(".safetensors")) return [];
  const datasets: Repository[] = short.includes("/") ? [{ type: "dataset", name: short }] : [];
  return dataset ? datasets : [...repositoriesOf(short), ...datasets];
}

/** What has to be at hand to tell a repository: configs and weights, or the data set's table; nothing where it has neither. */
function needed(paths: readonly string[]): readonly string[] {
  const top = paths.filter((path) =>
    path === "config.json" || path === adapterConfigFile || /^[^/]*\.safetensors$/.test(path)
  );
  if (top.some((path) => path.endsWith(".json"))) {
    return top.some((path) => !path.endsWith(".json")) ? top : [];
  }
  try {
    const { train, validation = [], test = [] } = chooseTable(paths, "");
    return [...train, ...validation, ...test];
  } catch (error) {
    if (error instanceof UserError) return paths.filter(isTable);
    throw error;
  }
}

/**
 * Tells the first of these repositories that there is. Of weights headers are read, of Parquet files
 * what their ends say, of other tables small ones whole; nothing is stored. Throws a UserError where
 * the hub has none, or cannot be reached and the cache has none.
 */
export async function inspectOnHub(
  name: string,
  candidates: readonly Repository[],
  settings: HubSettings,
): Promise<Found> {
  const opened = await openRepository(candidates, needed, settings).catch((error) => {
    if (!(error instanceof HubError)) throw error;
    const both = new Set(candidates.map(({ type }) => type)).size > 1;
    const what = both ? "data set, file or folder" : "file or folder";
    throw new UserError(`${error.message} There is no ${what} ${name} either.`, { cause: error });
  });
  const { repository, revision, from, folder, files, unreachable } = opened;
  // By the name that train takes too: the short one of the first models as well.
  const short = repository.type === "model" && !name.includes("/") ? name : repository.name;
  const found = await inspectFolder({ ...folder, name: short }, "hub");
  const what = repository.type === "model" ? "model" : "data set";
  found.details = {
    hub: `${what} ${repository.name}, commit ${revision.slice(0, 12)}`,
    read_from: from,
    repository_files: files.map(({ path, size }) =>
      size === undefined ? path : `${path} (${formatBytes(size)})`
    ),
    ...found.details,
  };
  if (unreachable !== undefined) {
    found.notes.push(`This is what the cache holds, and perhaps not all: ${unreachable}`);
  }
  const local = quoted(short.slice(short.lastIndexOf("/") + 1));
  const then = found.kind === "experiment"
    ? `deno task inspect ${local}`
    : "command" in found.use && found.use.command === prediction(short).command
    ? prediction(local).command
    : undefined;
  if (then !== undefined) {
    found.use = { command: `hf download ${short} --local-dir ${local} && ${then}` };
    found.notes.push(`hf is the command of Python's huggingface_hub: pip install huggingface_hub.`);
  }
  return found;
}
