/** `--launcher slurm`: the script of a job array, written into the sweep's folder and given to sbatch. */
import { join, resolve } from "node:path";
import { UserError } from "../../models/errors.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { quoted } from "../shared/shell.ts";
import { fill, readTemplate } from "./template.ts";

export interface ArrayJob {
  /** The sweep's folder, and the project's. */
  folder: string;
  project: string;
  /** What a task is given besides its number. */
  arguments: readonly string[];
  tasks: number;
  /** Numbers of those that are not done. */
  left: readonly number[];
  /** How many run at a time. */
  jobs: number | undefined;
  template: string | undefined;
}

const templateName = "slurm.sh";

/** `0-3,7`, of numbers in their order. */
export function ranges(numbers: readonly number[]): string {
  const parts: [number, number][] = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last !== undefined && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([from, to]) => from === to ? `${from}` : `${from}-${to}`).join(",");
}

const scriptPath = (folder: string) => join(folder, templateName);

/** A word for the nodes' shell, whatever machine submits; in a line of `#SBATCH` too. */
const word = (text: string) => quoted(text, "linux");

/** The script of all tasks. Throws a UserError where the template is none. */
export async function slurmScript(job: ArrayJob): Promise<string> {
  const template = await readTemplate(templateName, job.template);
  const limit = job.jobs === undefined ? "" : `%${job.jobs}`;
  const name = job.folder.split(/[\\/]/).at(-1)!;
  const output = join(resolve(job.project, job.folder), "output", "%a.txt");
  return fill(template, templateName, [
    ["#SBATCH --job-name=", word(name)],
    ["#SBATCH --array=", `0-${job.tasks - 1}${limit}`],
    ["#SBATCH --output=", word(output)],
    ["cd ", `${word(job.project)} || exit`],
    ["set -- ", job.arguments.map(word).join(" ")],
  ]);
}

/** The arguments of sbatch: of the script's array only what is left. */
export function submission({ folder, left, jobs }: ArrayJob): string[] {
  const limit = jobs === undefined ? "" : `%${jobs}`;
  return ["--parsable", `--array=${ranges(left)}${limit}`, scriptPath(folder)];
}

export const submitCommand = (job: ArrayJob) =>
  ["sbatch", ...submission(job)].map((text) => quoted(text)).join(" ");

/** Writes the script and submits what is left of the tasks. Returns the job's id. Throws a UserError where sbatch refuses. */
export async function submitArray(job: ArrayJob): Promise<string> {
  const path = scriptPath(job.folder);
  await writeFileWhole(path, await slurmScript(job));
  await Deno.mkdir(join(job.folder, "output"), { recursive: true });
  let ended: Deno.CommandOutput;
  try {
    ended = await new Deno.Command("sbatch", { args: submission(job), stdin: "null" }).output();
  } catch (cause) {
    throw new UserError(
      `There is no sbatch on this machine's PATH. ${path} is written: submit it where Slurm is, by ` +
        `${submitCommand(job)}`,
      { cause },
    );
  }
  const decoder = new TextDecoder();
  if (ended.success) return decoder.decode(ended.stdout).trim().split(";")[0];
  const why = decoder.decode(ended.stderr).trim().split("\n").at(-1) || `exit code ${ended.code}`;
  throw new UserError(`sbatch refuses ${path}: ${why}`);
}
