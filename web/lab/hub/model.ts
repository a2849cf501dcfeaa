/** A model of the hub as the page's base: looked up first, so that its size and kind are known before it is fetched. */
import { formatBytes } from "../../../engine/bytes.ts";
import { parseConfig } from "../../../models/encoders/mod.ts";
import { UserError } from "../../../models/errors.ts";
import { memoryFolder } from "../../../models/files/folder.ts";
import { readJsonObject } from "../../../models/files/json.ts";
import { indexFile, noWeights, readShardIndex, weightsFile } from "../../../models/files/shards.ts";
import {
  checkHasConfig,
  isHubName,
  repositoriesOf,
  smallFilesOf,
} from "../../../models/hub/model_files.ts";
import { missingTokenizer } from "../../../models/text/tokenizer.ts";
import { checkTokenizerClass } from "../../../models/text/tokenizer_class.ts";
import { aboutModel, type Base, readBase } from "../base.ts";
import { filesAt, type Found, open, type OpenRepository, sizeOf, take } from "./fetching.ts";

/** A file of more bytes does not fit into an ArrayBuffer of every browser, in which its hash is taken. */
const mostFileBytes = 2e9;

/** Paths of the weights, with the small files at hand. Throws a UserError where there are none in a format that is read. */
async function weightPaths(
  opened: OpenRepository,
  small: Map<string, Blob>,
  signal: AbortSignal,
): Promise<string[]> {
  const { repository: { name }, listing } = opened;
  const present = listing.files.map(({ path }) => path);
  if (present.includes(weightsFile)) return [weightsFile];
  if (!present.includes(indexFile)) throw noWeights(name, present);
  const index = await take(opened, filesAt(opened, [indexFile]), signal, () => {});
  small.set(indexFile, index.get(indexFile)!);
  const shards = [...new Set((await readShardIndex(memoryFolder(name, small))).values())].sort();
  const missing = shards.find((shard) => !present.includes(shard));
  if (missing) throw new UserError(`${name} has no ${missing}, which ${indexFile} names.`);
  return shards;
}

/**
 * Looks a model up: its files are listed, its config and tokenizer fetched, so that one of another kind is refused
 * before its weights are. Throws a UserError where it cannot be had or is none that the engine computes.
 */
export async function findModel(asked: string, signal: AbortSignal): Promise<Found<Base>> {
  const name = asked.trim();
  if (!isHubName(name)) {
    throw new UserError(
      `There is no model "${name}": on the hub it is named with its owner, org/name.`,
    );
  }
  const [repository] = repositoriesOf(name);
  const opened = await open(repository, signal);
  const present = opened.listing.files.map(({ path }) => path);
  checkHasConfig(repository.name, present);
  const noTokenizer = missingTokenizer(repository.name, present);
  if (noTokenizer !== undefined) throw noTokenizer;
  const small = await take(opened, filesAt(opened, smallFilesOf(present)), signal, () => {});
  const folder = memoryFolder(repository.name, small);
  const config = parseConfig(
    await readJsonObject(folder, "config.json"),
    `${repository.name}/config.json`,
  );
  await checkTokenizerClass(folder);
  const weights = filesAt(opened, await weightPaths(opened, small, signal));
  const large = weights.find(({ size }) => size > mostFileBytes);
  if (large) {
    throw new UserError(
      `${large.path} of ${repository.name} has ${
        formatBytes(large.size)
      }, more than a page can check. ` +
        `The command line takes it.`,
    );
  }
  return {
    about: `${repository.name}: ${aboutModel(config)}`,
    ...await sizeOf(opened, weights),
    async fetch(signal, heard) {
      const files = new Map([...small, ...await take(opened, weights, signal, heard)]);
      return await readBase({ name, origin: "hub" }, files);
    },
  };
}
