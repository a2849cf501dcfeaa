/**
 * Prints the permissions that commands have beside their sets in deno.json, of those that are named: `net` for the
 * hosts of cli/hosts.ts; `ffi` and `read` for the packages that Deno keeps, of which `--backend dawn` is one; `mpi` for
 * the one library that connects the ranks, where mpirun or its like started them.
 * A command gives `ffi` up once it has loaded what it needs.
 */
import { allowedHosts } from "./hosts.ts";
import { launcherOf } from "./mpi/launcher.ts";
import { libraryOf } from "./mpi/search.ts";
import { packageFolder } from "./shared/packages.ts";

type Read = (name: string) => string | undefined;

/** Flags of `deno run`, in one line, for the kinds of permissions. */
export function grants(kinds: readonly string[], read: Read, library = mpiLibrary): string {
  const packages = packageFolder(read);
  const mpi = kinds.includes("mpi") ? library(read) : undefined;
  const libraries = [kinds.includes("ffi") ? packages : undefined, mpi].filter(Boolean);
  const flags = [
    kinds.includes("net") && `--allow-net=${allowedHosts(read("HF_ENDPOINT")).join(",")}`,
    libraries.length > 0 && `--allow-ffi=${libraries.join(",")}`,
    kinds.includes("read") && packages !== undefined && `--allow-read=${packages}`,
  ];
  return flags.filter(Boolean).join(" ");
}

/** The library's path; undefined where there is none, which the command says. */
function mpiLibrary(read: Read): string | undefined {
  try {
    const launcher = launcherOf(read);
    return launcher && libraryOf(launcher, read);
  } catch {
    return undefined;
  }
}

if (import.meta.main) console.log(grants(Deno.args, (name) => Deno.env.get(name)));
