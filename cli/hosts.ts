/**
 * Prints the hosts that commands may reach, comma-separated: those of deno.json's permission set
 * `commands`, and HF_ENDPOINT's where it names a mirror. The task gives them to `--allow-net`.
 */
import project from "../deno.json" with { type: "json" };

/** The hub's hosts and the mirror's. An endpoint that names no host adds none: Deno would take none at all. */
export function allowedHosts(endpoint: string | undefined): string[] {
  const { net } = project.permissions.commands;
  const { protocol = "", host = "" } = URL.parse(endpoint?.trim() ?? "") ?? {};
  // No asterisk, which Deno takes for any host below, and no comma.
  return /^https?:$/.test(protocol) && /^[\w.:[\]-]+$/.test(host) ? [...net, host] : net;
}

if (import.meta.main) console.log(allowedHosts(Deno.env.get("HF_ENDPOINT")).join(","));
