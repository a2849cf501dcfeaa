/** Where Deno keeps npm's packages. */
import { join } from "node:path";

/** The folder; undefined where the environment does not tell, or a task's shell would take its name apart. */
export function packageFolder(
  read: (name: string) => string | undefined,
  os: typeof Deno.build.os = Deno.build.os,
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
