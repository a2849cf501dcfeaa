/**
 * Prints the permissions that commands which use the GPU have beside their sets in deno.json, of those that are named:
 * `net` for the hosts of cli/hosts.ts; `ffi` and `read` for the packages that Deno keeps, of which `--backend dawn` is one.
 * Without that flag a command gives `ffi` up before anything else.
 */
import { allowedHosts } from "./hosts.ts";
import { packageFolder } from "./shared/packages.ts";

/** Flags of `deno run`, in one line, for the kinds of permissions. */
export function grants(
  kinds: readonly string[],
  read: (name: string) => string | undefined,
): string {
  const packages = packageFolder(read);
  const flags = kinds.flatMap((kind) => {
    if (kind === "net") return [`--allow-net=${allowedHosts(read("HF_ENDPOINT")).join(",")}`];
    return packages === undefined ? [] : [`--allow-${kind}=${packages}`];
  });
  return flags.join(" ");
}

if (import.meta.main) console.log(grants(Deno.args, (name) => Deno.env.get(name)));
