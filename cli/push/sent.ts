/**
 * What may leave this machine: the run that the user named, and a base that the user named or that everybody has. What
 * files say of places, which may be a stranger's, sends nothing.
 */
import { join, sep } from "node:path";
import { UserError } from "../../models/errors.ts";
import type { Folder } from "../../models/files/folder.ts";
import { weightsFingerprint } from "../../models/host/fingerprint.ts";
import { miniFolder } from "../../models/host/resolve.ts";
import { hostFolder } from "../../models/host/files.ts";

/** Whether a folder holds the built-in model, by its weights. */
export async function isBuiltIn(folder: Folder): Promise<boolean> {
  return await weightsFingerprint(folder) === await weightsFingerprint(hostFolder(miniFolder));
}

/**
 * Throws a UserError where a file of a folder is a link that leads out of it. In the hub's cache all files are links: to
 * `blobs`, beside the snapshots.
 */
export async function checkLinks(
  { name: folder }: Folder,
  files: readonly string[],
): Promise<void> {
  const root = await Deno.realPath(folder);
  const [, repository] = /^(.+)[\\/]snapshots[\\/][0-9a-f]{40}$/.exec(root) ?? [];
  const inside = [root, ...(repository === undefined ? [] : [join(repository, "blobs")])];
  for (const file of files) {
    const real = await Deno.realPath(join(folder, file));
    if (inside.some((place) => real.startsWith(place + sep))) continue;
    throw new UserError(
      `${
        join(folder, file)
      } is a link to ${real}, outside of its folder, and is not sent. Put a copy in its ` +
        `place if it belongs to the run.`,
    );
  }
}
