/** What a command gives up of its permissions once it needs them no more: Deno gives nothing of it back. */

/** Permissions that are given up whole: of a part Deno takes no notice. */
export type GivenUp = "net" | "write";

/** From here on nothing in this process, of whatever package, can do these. */
export function giveUp(...names: readonly GivenUp[]): void {
  for (const name of names) Deno.permissions.revokeSync({ name });
}
