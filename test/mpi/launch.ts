/** Starts ranks with the MPIs that are installed. */
import { fileURLToPath } from "node:url";
import { grants } from "../../cli/grants.ts";
import { type Ended, runProgram, startProgram } from "../cli/command.ts";

const program = fileURLToPath(new URL("rank.ts", import.meta.url));

/** Debian's names of both families' launchers, where they are; else whatever mpirun is. */
export async function launchers(): Promise<string[]> {
  const named = ["mpirun.openmpi", "mpirun.mpich"];
  const has = async (name: string) =>
    (await runProgram("sh", ["-c", 'command -v "$0"', name])).code === 0;
  const there = await Promise.all([...named, "mpirun"].map(has));
  const found = named.filter((_, index) => there[index]);
  if (found.length > 0) return found;
  if (there.at(-1)) return ["mpirun"];
  throw new Error("These tests take an MPI. On Debian or Ubuntu: apt-get install openmpi-bin");
}

/** The last four: what Open MPI wants before it starts more ranks than cores, or any as root, as in a container. */
const env = {
  NO_COLOR: "1",
  OMPI_ALLOW_RUN_AS_ROOT: "1",
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: "1",
  OMPI_MCA_rmaps_base_oversubscribe: "1",
  PRTE_MCA_rmaps_default_mapping_policy: ":oversubscribe",
};

/** As a task does: what the rank may load beside its permission set is found by each rank. */
const task = `set=$1; shift; exec "$0" run -q --no-check --no-prompt -P=$set ` +
  `$("$0" run -q -P=grants cli/grants.ts net mpi) "$@"`;

/** What ranks run, and under which permission set: rank.ts under the tests', unless another program is named. */
const tested = { program, set: "test" };

/** Starts so many ranks. */
export function startRanks(launcher: string, size: number, args: string[], what = tested) {
  const ranks = ["-n", `${size}`, "sh", "-c", task, Deno.execPath(), what.set, what.program];
  return startProgram(launcher, [...ranks, ...args], { env });
}

/** Waits until they end. */
export const runRanks = (launcher: string, size: number, args: string[], what = tested) =>
  startRanks(launcher, size, args, what).ended();

/** One process of rank.ts without a launcher, with what the environment would tell of one. */
export function runAlone(args: string[], variables: Record<string, string>): Promise<Ended> {
  const flags = grants(["mpi"], (name) => variables[name]).split(" ").filter(Boolean);
  const run = ["run", "-q", "--no-check", "--no-prompt", "-P=test", ...flags];
  return runProgram(Deno.execPath(), [...run, program, ...args], { env: { ...env, ...variables } });
}
