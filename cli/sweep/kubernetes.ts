/** `--launcher kubernetes`: the manifest of an Indexed Job, a task for each index. */
import { join } from "node:path";
import { writeFileWhole } from "../../models/host/write.ts";
import { fill, readTemplate } from "./template.ts";

export interface IndexedJob {
  /** The experiment's name. */
  experiment: string;
  arguments: readonly string[];
  tasks: number;
  jobs: number | undefined;
  template: string | undefined;
}

const templateName = "kubernetes.yaml";

/** Where the volume of results is mounted in a container. */
export const mountedResults = "/results";

/** A name as Kubernetes takes it, with room for the index of a pod. */
export function objectName(text: string): string {
  const name = text.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+/, "").slice(0, 50);
  return name.replace(/-+$/, "") || "sweep";
}

/** A list as YAML takes it in one line; `$(` would name a variable. */
export const yamlList = (words: readonly string[]) =>
  `[${words.map((text) => JSON.stringify(text.replaceAll("$(", "$$$$("))).join(", ")}]`;

/** The manifest of all tasks. Throws a UserError where the template is none. */
export async function jobManifest(job: IndexedJob): Promise<string> {
  const template = await readTemplate(templateName, job.template);
  return fill(template, templateName, [
    ["name: ", objectName(job.experiment)],
    ["completions: ", `${job.tasks}`],
    ["parallelism: ", `${Math.min(job.jobs ?? job.tasks, job.tasks)}`],
    ["args: ", yamlList(job.arguments)],
  ]);
}

/** Writes it into the sweep's folder; returns its path. */
export async function writeJob(folder: string, job: IndexedJob): Promise<string> {
  const path = join(folder, templateName);
  await writeFileWhole(path, await jobManifest(job));
  return path;
}
