/**
 * Which model a name stands for: the built-in `mini`, a folder, or a repository on the hub, of which
 * only the needed files are fetched.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bertBaseUncased, type EncoderConfig, parseConfig } from "../encoders/mod.ts";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../files/json.ts";
import { indexFile, noWeights, readShardIndex, weightsFile } from "../files/shards.ts";
import { checkTokenizerClass } from "../text/tokenizer_class.ts";
import { missingTokenizer, tokenizerFileNames } from "../text/tokenizer.ts";
import { miniModel } from "./built_in.ts";
import { cachedSnapshot, checkContents, keepSnapshot, snapshotFiles } from "./cache.ts";
import { exists, hostFolder, isMissing, readError } from "./files.ts";
import { downloadFiles, listRepository } from "./hub.ts";
import { HubError, HubUnreachable } from "../hub/errors.ts";
import {
  checkHasConfig,
  configFile,
  isHubName,
  isModelFile,
  noConfig,
  otherModel,
  repositoriesOf,
  smallFilesOf,
} from "../hub/model_files.ts";
import type { HubSettings } from "./settings.ts";

/** The model that is used where none is named. */
const defaultModel = "bert-base-uncased";

/** Where the built-in model lies. */
export const miniFolder = fileURLToPath(new URL("../../assets/mini", import.meta.url));

export interface ResolvedModel {
  /** What was asked for, e.g. `bert-base-uncased`; `mini` where that stands in. */
  name: string;
  /** Holds `config.json`, the weights and the tokenizer's files. */
  folder: string;
  /** Whether it is part of this project, so that others do not find it under its name. */
  builtIn: boolean;
  config: EncoderConfig;
  /** The folder of the adapter over it with which training goes on. */
  continuedFrom?: string;
  /** What the reader must not overlook. */
  notices: string[];
}

async function readConfig(path: string): Promise<EncoderConfig> {
  const folder = hostFolder(path);
  if (!(await folder.has(configFile))) throw noConfig(path);
  return parseConfig(await readJsonObject(folder, configFile), join(path, configFile));
}

/** The files of a folder's shards, each once. */
async function shardsOf(path: string): Promise<string[]> {
  return [...new Set((await readShardIndex(hostFolder(path))).values())].sort();
}

/** What a folder lacks of a whole model, or undefined when it can be used. */
async function lacking(path: string): Promise<UserError | undefined> {
  const folder = hostFolder(path);
  const files = await folder.list();
  const has = (name: string) => files.includes(name);
  // A pipe or a folder of a file's name is not listed; opening it tells what it is.
  for (const name of [configFile, weightsFile, indexFile, ...tokenizerFileNames]) {
    if (!has(name) && await folder.has(name)) (await folder.open(name)).close?.();
  }
  if (!has(configFile)) return noConfig(path, files);
  const noTokenizer = missingTokenizer(path, files);
  if (noTokenizer !== undefined) return noTokenizer;
  if (has(weightsFile)) return undefined;
  if (!has(indexFile)) return noWeights(path, files);
  const missing = (await shardsOf(path)).find((shard) => !has(shard));
  return missing === undefined
    ? undefined
    : new UserError(`${path} has no ${missing}, which ${indexFile} names.`);
}

/**
 * The cached snapshot that lacks nothing, whose files of those names hold what their hashes say. Throws a UserError
 * where one does not.
 */
async function cachedFolder(
  name: string,
  settings: HubSettings,
  lacks: (folder: string) => Promise<unknown>,
  isUsed: (name: string) => boolean,
): Promise<string | undefined> {
  for (const repository of repositoriesOf(name)) {
    const snapshot = await cachedSnapshot(repository, settings);
    if (snapshot === undefined) continue;
    const used = (await snapshotFiles(repository, snapshot, settings)).filter(isUsed);
    if (await lacks(snapshot.folder) !== undefined) continue;
    await checkContents(repository, snapshot, used, settings);
    return snapshot.folder;
  }
  return undefined;
}

/**
 * Downloads what a model needs: config and tokenizer first, so that a model of another kind is
 * refused before its weights are fetched.
 */
async function download(name: string, settings: HubSettings): Promise<string> {
  const [repository] = repositoriesOf(name);
  const listing = await listRepository(repository, settings);
  const present = listing.files.map(({ path }) => path);
  checkHasConfig(repository.name, present);
  const { folder } = await downloadFiles(repository, listing, smallFilesOf(present), settings);
  await readConfig(folder);
  const noTokenizer = missingTokenizer(repository.name, present);
  if (noTokenizer !== undefined) throw noTokenizer;
  await checkTokenizerClass(hostFolder(folder));
  if (present.includes(weightsFile)) {
    await downloadFiles(repository, listing, [weightsFile], settings);
  } else if (present.includes(indexFile)) {
    await downloadFiles(repository, listing, [indexFile], settings);
    await downloadFiles(repository, listing, await shardsOf(folder), settings);
  } else {
    throw noWeights(repository.name, present);
  }
  const lacks = await lacking(folder);
  if (lacks !== undefined) throw lacks;
  await keepSnapshot(repository, listing, settings);
  return folder;
}

async function resolveMini(notices: string[]): Promise<ResolvedModel> {
  return {
    name: miniModel,
    folder: miniFolder,
    builtIn: true,
    config: await readConfig(miniFolder),
    notices,
  };
}

/** Whether there is a folder of that name. Throws a `UserError` where it cannot be told. */
export async function isFolder(name: string): Promise<boolean> {
  try {
    return (await Deno.stat(name)).isDirectory;
  } catch (error) {
    if (isMissing(error)) return false;
    throw readError(name, error);
  }
}

function notFound(name: string, cause?: UserError): UserError {
  return new UserError(
    cause === undefined
      ? `There is no model "${name}": no folder of that name, and a model on the hub is named org/name.`
      : `${cause.message} There is no folder ${name} either.`,
    { cause, remedy: otherModel },
  );
}

/**
 * Finds a model: `mini`, a folder, or a hub name. Without a name it is {@link defaultModel}, for
 * which `mini` stands in, under a notice, where it is not cached and there is no network. What
 * was named is never replaced: a `UserError` names the ways out.
 */
export async function resolveModel(
  name: string | undefined,
  settings: HubSettings,
): Promise<ResolvedModel> {
  if (name === miniModel) return await resolveMini([]);
  const asked = name ?? defaultModel;
  const found = async (folder: string): Promise<ResolvedModel> => ({
    name: asked,
    folder,
    builtIn: false,
    config: await readConfig(folder),
    notices: [],
  });
  if (name !== undefined && await isFolder(name)) {
    const lacks = await lacking(name);
    if (lacks !== undefined) throw lacks;
    return await found(name);
  }
  if (!isHubName(asked)) throw notFound(asked);
  const cached = await cachedFolder(asked, settings, lacking, isModelFile);
  if (cached !== undefined) return await found(cached);
  try {
    return await found(await download(asked, settings));
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (name !== undefined) throw notFound(name, error);
    if (!(error instanceof HubUnreachable)) {
      throw new HubError(error.message, { cause: error, remedy: otherModel });
    }
    const mini = await resolveMini([]);
    const notice = `BUILT-IN MODEL "${miniModel}" INSTEAD OF ${defaultModel}: ${error.message} ` +
      `The results of this run are those of ${miniModel} and carry its name.`;
    return { ...mini, notices: [notice] };
  }
}

/**
 * A model's name and sizes alone, for counting parameters: bert-base-uncased's are built in, so that
 * the default needs no network; of a model on the hub `config.json` is fetched, unless it is cached.
 * Throws a `UserError` as {@link resolveModel} does.
 */
export async function resolveConfig(
  name: string | undefined,
  settings: HubSettings,
): Promise<{ name: string; config: EncoderConfig }> {
  const asked = name ?? defaultModel;
  if (asked === miniModel) return { name: asked, config: await readConfig(miniFolder) };
  if (await isFolder(asked)) return { name: asked, config: await readConfig(asked) };
  if (asked === defaultModel || asked === `google-bert/${defaultModel}`) {
    return { name: asked, config: bertBaseUncased };
  }
  if (!isHubName(asked)) throw notFound(asked);
  const hasConfig = async (folder: string) =>
    await exists(join(folder, configFile)) ? undefined : configFile;
  const cached = await cachedFolder(asked, settings, hasConfig, (name) => name === configFile);
  if (cached !== undefined) return { name: asked, config: await readConfig(cached) };
  try {
    const [repository] = repositoriesOf(asked);
    const listing = await listRepository(repository, settings);
    checkHasConfig(repository.name, listing.files.map(({ path }) => path));
    const { folder } = await downloadFiles(repository, listing, [configFile], settings);
    await keepSnapshot(repository, listing, settings);
    return { name: asked, config: await readConfig(folder) };
  } catch (error) {
    throw error instanceof HubError ? notFound(asked, error) : error;
  }
}
