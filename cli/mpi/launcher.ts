/** What started this process as one of several ranks, told from the environment alone: no library is loaded for it. */
import { UserError } from "../../models/errors.ts";

type Read = (name: string) => string | undefined;

export interface Launcher {
  /** As a user knows it. */
  name: string;
  /** How many ranks it started, and which of them this is; size undefined where it tells the library alone. */
  size?: number;
  rank: number;
  /** File names of the libraries that understand it, the likeliest first. */
  libraries: readonly string[];
  /** Debian's package that brings launcher and library. */
  package: string;
}

/** The variables that are read here and by whoever looks for the library. */
export const launcherVariables = [
  "OMPI_COMM_WORLD_SIZE",
  "OMPI_COMM_WORLD_RANK",
  "PMI_SIZE",
  "PMI_RANK",
  "PMIX_RANK",
  "SLURM_STEP_NUM_TASKS",
  "PEFT_MPI_LIBRARY",
  "LD_LIBRARY_PATH",
] as const;

const openMpi = ["libmpi.so.40"];
/** libmpi.so.12 is the name that MPICH, Intel MPI, MVAPICH and Cray's agreed on; Debian 12 has MPICH's own alone. */
const mpich = ["libmpich.so.12", "libmpi.so.12"];
/** Of MPI's standard ABI: either of both families. */
const standard = ["libmpi_abi.so.1", "libmpi_abi.so.0"];

/**
 * The launcher, or undefined where there is none. Throws a UserError where srun started several tasks without MPI,
 * each of which would hold itself for all.
 */
export function launcherOf(read: Read): Launcher | undefined {
  const number = (name: string) => {
    const text = read(name);
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const ofOpenMpi = { libraries: [...openMpi, ...standard], package: "openmpi-bin" };
  const ofMpich = { libraries: [...mpich, ...standard], package: "mpich" };
  const [size, rank] = [number("OMPI_COMM_WORLD_SIZE"), number("OMPI_COMM_WORLD_RANK")];
  if (size !== undefined && rank !== undefined) {
    return { name: "mpirun of Open MPI", size, rank, ...ofOpenMpi };
  }
  const tasks = number("SLURM_STEP_NUM_TASKS");
  const [pmiSize, pmiRank] = [number("PMI_SIZE"), number("PMI_RANK")];
  if (pmiSize !== undefined && pmiRank !== undefined) {
    if (tasks === undefined) {
      return { name: "mpirun of MPICH", size: pmiSize, rank: pmiRank, ...ofMpich };
    }
    const libraries = [...ofMpich.libraries, ...openMpi];
    return { ...ofMpich, name: "srun", size: pmiSize, rank: pmiRank, libraries };
  }
  const pmixRank = number("PMIX_RANK");
  if (pmixRank !== undefined) {
    const libraries = [...ofOpenMpi.libraries, ...mpich];
    const name = tasks === undefined ? "a launcher by PMIx" : "srun";
    return { ...ofOpenMpi, name, size: tasks, rank: pmixRank, libraries };
  }
  if (tasks !== undefined && tasks > 1) {
    throw new UserError(
      `srun started ${tasks} tasks without MPI, which would not know of one another: add ` +
        `--mpi=pmix where MPI is Open MPI, or --mpi=pmi2 where it is MPICH.`,
    );
  }
  return undefined;
}
