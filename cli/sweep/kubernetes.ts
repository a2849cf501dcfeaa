/** `--launcher kubernetes`: the manifest of an Indexed Job, a task for each index, or of TrainJobs, each of several processes. */
import { join } from "node:path";
import { fnv1a } from "../../engine/hash.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import type { Task } from "./tasks.ts";
import { fill, readTemplate } from "./template.ts";

export interface Manifest {
  /** The experiment's name. */
  experiment: string;
  tasks: readonly Task[];
  /** What a task is given besides its number. */
  arguments: readonly string[];
  /** How many tasks run at a time; all unless given. */
  jobs: number | undefined;
  /** Processes that train a task together, by MPI. */
  processes: number;
  template: string | undefined;
}

/** Where the volume of results is mounted in a container. */
export const mountedResults = "/results";

/**
 * A name as Kubernetes takes it, which leaves room for what it appends: of a longer one the beginning and a hash. A
 * TrainJob's begins with a letter.
 */
export function objectName(text: string, most: number): string {
  const tidy = (name: string) => name.replace(/^-+|-+$/g, "");
  const tidied = tidy(text.toLowerCase().replace(/[^a-z0-9]+/g, "-"));
  const name = /^[a-z]/.test(tidied) ? tidied : tidy(`sweep-${tidied}`);
  if (name.length <= most) return name;
  return `${tidy(name.slice(0, most - 9))}-${fnv1a(text).toString(16).padStart(8, "0")}`;
}

/** A list as YAML takes it in one line; `$(` would name a variable. */
const yamlList = (words: readonly string[]) =>
  `[${words.map((text) => JSON.stringify(text.replaceAll("$(", () => "$$("))).join(", ")}]`;

async function jobManifest(manifest: Manifest): Promise<string> {
  const { experiment, tasks: { length }, jobs = length } = manifest;
  const name = "kubernetes.yaml";
  return fill(await readTemplate(name, manifest.template), name, [
    ["name: ", objectName(experiment, 50)],
    ["completions: ", `${length}`],
    ["parallelism: ", `${Math.min(jobs, length)}`],
    ["args: ", yamlList(manifest.arguments)],
  ]);
}

/** MPI has a claim on a whole experiment, and so each run has its own. */
async function trainJobs({ experiment, tasks, processes, template }: Manifest): Promise<string> {
  const name = "trainjob.yaml";
  const text = await readTemplate(name, template);
  return tasks.map(({ run, arguments: line }) => {
    const own = `${experiment}-${run}`;
    return fill(text, name, [
      ["name: ", objectName(own, 36)],
      ["numNodes: ", `${processes}`],
      ["args: ", yamlList([`${processes}`, own, ...line])],
    ]);
  }).join("---\n");
}

/** The manifest of all tasks. Throws a UserError where the template is none. */
export const manifestText = (manifest: Manifest): Promise<string> =>
  manifest.processes === 1 ? jobManifest(manifest) : trainJobs(manifest);

/** Where it goes in the sweep's folder. */
export const manifestPath = (folder: string, { processes }: Manifest): string =>
  join(folder, processes === 1 ? "kubernetes.yaml" : "trainjobs.yaml");

/** Writes it into the sweep's folder; returns its path. */
export async function writeManifest(folder: string, manifest: Manifest): Promise<string> {
  const path = manifestPath(folder, manifest);
  await writeFileWhole(path, await manifestText(manifest));
  return path;
}
