/**
 * Prints the permissions that a command which uses the GPU has beside its set in deno.json: `--allow-net` for the hosts of
 * cli/hosts.ts, and `--allow-ffi` for the packages that Deno keeps, of which `--backend dawn` is one; with the argument
 * `ffi` the latter alone. Without that flag a command gives it up before anything else.
 */
import { join } from "node:path";
import { allowedHosts } from "./hosts.ts";

/** Where Deno keeps npm's packages; undefined where the environment does not tell, or a shell would take it apart. */
export function packageFolder(
  read: (name: string) => string | undefined,
  os: typeof Deno.build.os,
): string | undefined {
  const below = (name: string, ...path: string[]) => {
    const base = read(name);
    return base ? join(base, ...path) : undefined;
  };
  const usual = os === "windows"
    ? below("LOCALAPPDATA", "deno")
    : os === "darwin"
    ? below("HOME", "Library", "Caches", "deno")
    : below("XDG_CACHE_HOME", "deno") ?? below("HOME", ".cache", "deno");
  const folder = read("DENO_DIR") || usual;
  return folder && !/[\s,"'$]/.test(folder) ? join(folder, "npm") : undefined;
}

if (import.meta.main) {
  const read = (name: string) => Deno.env.get(name);
  const packages = packageFolder(read, Deno.build.os);
  const net = `--allow-net=${allowedHosts(read("HF_ENDPOINT")).join(",")}`;
  const ffi = packages === undefined ? [] : [`--allow-ffi=${packages}`];
  console.log((Deno.args[0] === "ffi" ? ffi : [net, ...ffi]).join(" "));
}
