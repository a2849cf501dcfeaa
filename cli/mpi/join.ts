/** How a process becomes one of several ranks. */
import { UserError } from "../../models/errors.ts";
import { type Communicator, connect, type ConnectOptions } from "./communicator.ts";
import { launcherOf } from "./launcher.ts";
import { libraryOf } from "./search.ts";

/**
 * The ranks of an mpirun, mpiexec or srun that this process was started by, or undefined where it was started by none;
 * then no library is loaded. Throws a UserError where there is no library, or where the library knows of other ranks
 * than the launcher: each process would train everything.
 */
export function joinRanks(options: ConnectOptions = {}): Communicator | undefined {
  const read = (name: string) => Deno.env.get(name);
  const launcher = launcherOf(read);
  if (!launcher) return undefined;
  const path = libraryOf(launcher, read);
  const ranks = connect(path, options);
  const { name, size = ranks.size, rank } = launcher;
  if (ranks.size === size && ranks.rank === rank) return ranks;
  const known = `rank ${ranks.rank} of ${ranks.size}`;
  const { library } = ranks;
  ranks.finalize();
  throw new UserError(
    `${name} started this as rank ${rank} of ${launcher.size ?? "several"}, but ${path} ` +
      `(${library}) holds it for ${known}: launcher and library are of different MPIs. Start with ` +
      `the library's own mpirun, or set PEFT_MPI_LIBRARY to the path of the launcher's library.`,
  );
}
