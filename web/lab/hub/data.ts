/** A data set of the hub: looked up first, so that its size is known before it is fetched. */
import { UserError } from "../../../models/errors.ts";
import { blobSource } from "../../../models/files/byte_source.ts";
import {
  besides,
  chooseOnHub,
  filesOf,
  mostBeside,
  parseHubName,
} from "../../../models/hub/data_files.ts";
import { type LabelledData, readData } from "../data.ts";
import { filesAt, type Found, open, sizeOf, take } from "./fetching.ts";

/**
 * Looks a data set up by `org/name`, or a file or folder of it by `org/name/path`. Throws a UserError where it cannot be
 * had, or has no table.
 */
export async function findData(asked: string, signal: AbortSignal): Promise<Found<LabelledData>> {
  const name = asked.trim();
  const hub = parseHubName(name);
  if (!hub) {
    throw new UserError(`"${name}" is no name of a data set on the hub, as org/name is.`);
  }
  const opened = await open(hub.repository, signal);
  const { revision, files: listed } = opened.listing;
  const chosen = chooseOnHub(hub, listed.map(({ path }) => path), true);
  const small = listed.filter(({ size }) => size <= mostBeside).map(({ path }) => path);
  const tables = filesOf(chosen);
  const beside = besides(chosen, small);
  const files = filesAt(opened, [...tables, ...beside]);
  return {
    about: `${name}: ${tables.join(", ")}`,
    ...await sizeOf(opened, files),
    async fetch(signal, heard) {
      const taken = await take(opened, files, signal, heard);
      const sources = (paths: readonly string[] | undefined) =>
        paths?.map((path) => blobSource(taken.get(path)!, path));
      const texts = beside.map(async (path) => [path, await taken.get(path)!.text()] as const);
      return await readData({
        name,
        source: `${hub.repository.name}@${revision}: ${tables.join(", ")}`,
        sample: false,
        notices: chosen.notices,
        files: sources(chosen.train)!,
        validation: sources(chosen.validation),
        test: sources(chosen.test),
        beside: new Map(await Promise.all(texts)),
      });
    },
  };
}
