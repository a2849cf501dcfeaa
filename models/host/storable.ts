/** Whether a file of the hub can be one of this machine's. */
import { UserError } from "../errors.ts";
import { shown } from "../files/json.ts";

/** Names that Windows keeps for devices. */
const device = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i;

/** Throws a UserError where a file's name, which git can hold, would mean something else on a disk, or cannot be there. */
export function checkStorable(path: string, os: string = Deno.build.os): void {
  const encoder = new TextEncoder();
  const windows = os === "windows";
  const refused = path.split("/").find((part) =>
    /[\\\p{Cc}]/u.test(part) || /^[a-z]:/i.test(part) || encoder.encode(part).length > 240 ||
    (windows && (device.test(part) || /[<>:"|?*]|[. ]$/.test(part)))
  );
  if (refused === undefined) return;
  throw new UserError(
    `The file ${shown(path)} of the hub is not fetched: ${shown(refused)} is no name for a file ` +
      `on this machine.`,
  );
}
