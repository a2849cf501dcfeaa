/** Starts ranks with the MPIs that are installed. */
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { grants } from "../../cli/grants.ts";
import { type Ended, type ProgramOptions, runProgram, startProgram } from "../cli/command.ts";

const program = fileURLToPath(new URL("rank.ts", import.meta.url));

/** Whether the PATH has a program. */
async function has(name: string): Promise<boolean> {
  return (await runProgram("sh", ["-c", 'command -v "$0"', name])).code === 0;
}

/** Debian's names of both families' launchers, where they are; else whatever mpirun is. */
export async function launchers(): Promise<string[]> {
  const named = ["mpirun.openmpi", "mpirun.mpich"];
  const there = await Promise.all([...named, "mpirun"].map(has));
  const found = named.filter((_, index) => there[index]);
  if (found.length > 0) return found;
  if (there.at(-1)) return ["mpirun"];
  throw new Error("These tests take an MPI. On Debian or Ubuntu: apt-get install openmpi-bin");
}

/** What Open MPI's launcher wants before it starts more ranks than cores, or any as root, as in a container. */
const env = {
  NO_COLOR: "1",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  PRTE_MCA_rmaps_default_mapping_policy: ":oversubscribe",
};

/** What a command's task has beside its set in deno.json: `$(…)` as in the tasks, by a shell of each rank. */
const task = `exec "$0" run -q --no-check --no-prompt -P=$1 $("$0" run -q -P=grants ` +
  `cli/grants.ts net mpi) "\${@:2}"`;

/** The command line of so many ranks that run a program under a permission set, as a task does. */
export function ranksOf(launcher: string, size: number, set: string, args: string[]): string[] {
  return [launcher, "-n", `${size}`, "bash", "-c", task, Deno.execPath(), set, ...args];
}

/** What ranks run: rank.ts under the tests' permissions, unless another program is named. */
const tested = { program, set: "test" };

/** Starts so many ranks. */
export function startRanks(launcher: string, size: number, args: string[], what = tested) {
  const [command, ...rest] = ranksOf(launcher, size, what.set, [what.program, ...args]);
  return startProgram(command, rest, { env });
}

/** Waits until they end. */
export const runRanks = (launcher: string, size: number, args: string[], what = tested) =>
  startRanks(launcher, size, args, what).ended();

/** One process without a launcher. */
export function runAlone(args: string[], variables: Record<string, string>): Promise<Ended> {
  const flags = grants(["mpi"], (name) => variables[name]);
  const run = ["run", "-q", "--no-check", "--no-prompt", "-P=test", ...flags.split(" ")];
  const options: ProgramOptions = { env: { ...env, ...variables } };
  return runProgram(Deno.execPath(), [...run.filter(Boolean), program, ...args], options);
}

/** The lines that ranks printed as JSON, by rank. */
export function reports<Report extends { rank: number }>({ stdout }: Ended): Report[] {
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line): Report => JSON.parse(line)).sort((a, b) => a.rank - b.rank);
}

export { project };
