/**
 * Which model a name stands for: the built-in `mini`, a folder, or a repository on the hub, of which
 * only the needed files are fetched.
 */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bertBaseUncased, type BertConfig, parseBertConfig } from "./bert/config.ts";
import { messageOf, UserError } from "./files/errors.ts";
import {
  cachedSnapshot,
  downloadFiles,
  filesBelow,
  type HubSettings,
  keepSnapshot,
  listRepository,
  type Repository,
} from "./hub.ts";
import { HubError, HubUnreachable } from "./hub_errors.ts";

/** The model that is used where none is named. */
export const defaultModel = "bert-base-uncased";

/** The name of the built-in model. */
export const miniModel = "mini";

const miniFolder = fileURLToPath(new URL("../assets/mini", import.meta.url));

export interface ResolvedModel {
  /** What was asked for, e.g. `bert-base-uncased`; `mini` where that stands in. */
  name: string;
  /** Holds `config.json`, the tokenizer's files and, unless `random`, the weights. */
  folder: string;
  /** Whether the weights are a seeded random start. */
  random: boolean;
  config: BertConfig;
  /** What the reader must not overlook. */
  notices: string[];
}

const waysOut =
  `Give --model_name a folder with the model's files, or ${miniModel}, which is built in.`;

const weightsFile = "model.safetensors";
const indexFile = "model.safetensors.index.json";

function noConfig(where: string): UserError {
  return new UserError(`${where} has no config.json, so it is no model in HF's format. ${waysOut}`);
}

async function readConfig(folder: string): Promise<BertConfig> {
  const path = join(folder, "config.json");
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (cause) {
    if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    throw noConfig(folder);
  }
  try {
    return parseBertConfig(JSON.parse(text), path);
  } catch (cause) {
    const message = cause instanceof SyntaxError
      ? `${path} is not JSON: ${cause.message}.`
      : messageOf(cause);
    throw new UserError(message, { cause });
  }
}

/** The weight files that an index of shards names. Throws a `UserError` where it is no index. */
async function shardsOf(indexPath: string): Promise<string[]> {
  let json: unknown;
  try {
    json = JSON.parse(await Deno.readTextFile(indexPath));
  } catch (cause) {
    throw new UserError(`Cannot read ${indexPath}: ${messageOf(cause)}.`, { cause });
  }
  const map = typeof json === "object" && json !== null && "weight_map" in json
    ? json.weight_map
    : undefined;
  const names = typeof map === "object" && map !== null ? Object.values(map) : [];
  const shards = names.filter((name) => typeof name === "string" && name === basename(name));
  if (names.length === 0 || shards.length < names.length) {
    throw new UserError(`${indexPath} has no "weight_map" from tensors to files beside it.`);
  }
  return [...new Set(shards)].sort();
}

function noSafetensors(where: string, files: readonly string[]): UserError {
  const pickled = files.find((name) => /^pytorch_model.*\.bin$/.test(name));
  return new UserError(
    pickled === undefined
      ? `${where} has no ${weightsFile}. ${waysOut}`
      : `${where} has its weights as ${pickled} only; we read ${weightsFile}. Convert it with ` +
        `Python's transformers, AutoModel.from_pretrained("${where}").save_pretrained("converted"), ` +
        `copy its tokenizer's files beside it, and give --model_name converted.`,
  );
}

/** What a folder lacks of a whole model, or undefined when it can be used. */
async function lacking(folder: string): Promise<UserError | undefined> {
  const files = await filesBelow(folder);
  const has = (name: string) => files.includes(name);
  if (!has("config.json")) {
    return noConfig(folder);
  }
  if (!has("tokenizer.json") && !has("vocab.txt")) {
    return new UserError(
      `${folder} has neither tokenizer.json nor vocab.txt. Put the files of the model's tokenizer there.`,
    );
  }
  if (has(weightsFile)) return undefined;
  if (!has(indexFile)) return noSafetensors(folder, files);
  const missing = (await shardsOf(join(folder, indexFile))).find((shard) => !has(shard));
  return missing === undefined
    ? undefined
    : new UserError(`${folder} has no ${missing}, which ${indexFile} names.`);
}

/**
 * The repositories that a name may mean. The hub moved the first BERTs from bare names to
 * `google-bert/`; older programs cached them under the bare name.
 */
function repositoriesOf(name: string): Repository[] {
  const names = name.includes("/")
    ? [name]
    : name.startsWith("bert-")
    ? [`google-bert/${name}`, name]
    : [];
  return names.map((name) => ({ type: "model", name }));
}

function isHubName(name: string): boolean {
  return /^[\w-][\w.-]*(\/[\w.-]+)?$/.test(name) && repositoriesOf(name).length > 0;
}

async function cachedFolder(
  name: string,
  settings: HubSettings,
  lacks: (folder: string) => Promise<unknown>,
): Promise<string | undefined> {
  for (const repository of repositoriesOf(name)) {
    const snapshot = await cachedSnapshot(repository, settings);
    if (snapshot !== undefined && await lacks(snapshot.folder) === undefined) {
      return snapshot.folder;
    }
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
  const small = [
    "config.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    present.includes("tokenizer.json") ? "tokenizer.json" : "vocab.txt",
  ].filter((path) => present.includes(path));
  if (!small.includes("config.json")) {
    throw noConfig(repository.name);
  }
  const { folder } = await downloadFiles(repository, listing, small, settings);
  await readConfig(folder);
  if (present.includes(weightsFile)) {
    await downloadFiles(repository, listing, [weightsFile], settings);
  } else if (present.includes(indexFile)) {
    await downloadFiles(repository, listing, [indexFile], settings);
    const shards = await shardsOf(join(folder, indexFile));
    await downloadFiles(repository, listing, shards, settings);
  } else {
    throw noSafetensors(repository.name, present);
  }
  const lacks = await lacking(folder);
  if (lacks !== undefined) throw lacks;
  await keepSnapshot(repository, listing, settings);
  return folder;
}

async function resolveMini(notices: string[]): Promise<ResolvedModel> {
  const trained = await Deno.stat(join(miniFolder, weightsFile)).then(() => true, () => false);
  return {
    name: miniModel,
    folder: miniFolder,
    random: !trained,
    config: await readConfig(miniFolder),
    notices,
  };
}

async function isFolder(name: string): Promise<boolean> {
  try {
    return (await Deno.stat(name)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return false;
    }
    throw new UserError(`Cannot read ${name}: ${messageOf(error)}.`, { cause: error });
  }
}

function notFound(name: string, cause?: UserError): UserError {
  return new UserError(
    (cause === undefined
      ? `There is no model "${name}": no folder of that name, and a model on the hub is named org/name. `
      : `${cause.message} There is no folder ${name} either. `) + waysOut,
    { cause },
  );
}

/**
 * Finds a model: `mini`, a folder, or a hub name. Without a name it is {@link defaultModel}, for
 * which `mini` stands in, under a notice, where it is not cached and the hub cannot be reached. What
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
    random: false,
    config: await readConfig(folder),
    notices: [],
  });
  if (name !== undefined && await isFolder(name)) {
    const lacks = await lacking(name);
    if (lacks !== undefined) throw lacks;
    return await found(name);
  }
  if (!isHubName(asked)) throw notFound(asked);
  const cached = await cachedFolder(asked, settings, lacking);
  if (cached !== undefined) return await found(cached);
  try {
    return await found(await download(asked, settings));
  } catch (error) {
    if (!(error instanceof HubError)) throw error;
    if (name !== undefined) throw notFound(name, error);
    if (!(error instanceof HubUnreachable)) throw error;
    const mini = await resolveMini([]);
    const notice = `BUILT-IN MODEL "${miniModel}" INSTEAD OF ${defaultModel}: ${error.message} ` +
      `The results of this run are those of ${miniModel}` +
      (mini.random ? ", which starts from random weights," : "") + ` and carry its name.`;
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
): Promise<{ name: string; config: BertConfig }> {
  const asked = name ?? defaultModel;
  if (asked === miniModel) return { name: asked, config: await readConfig(miniFolder) };
  if (await isFolder(asked)) return { name: asked, config: await readConfig(asked) };
  if (asked === defaultModel || asked === `google-bert/${defaultModel}`) {
    return { name: asked, config: bertBaseUncased };
  }
  if (!isHubName(asked)) throw notFound(asked);
  const hasConfig = (folder: string) =>
    Deno.stat(join(folder, "config.json")).then(() => undefined, () => "config.json");
  const cached = await cachedFolder(asked, settings, hasConfig);
  if (cached !== undefined) return { name: asked, config: await readConfig(cached) };
  try {
    const [repository] = repositoriesOf(asked);
    const listing = await listRepository(repository, settings);
    const { folder } = await downloadFiles(repository, listing, ["config.json"], settings);
    await keepSnapshot(repository, listing, settings);
    return { name: asked, config: await readConfig(folder) };
  } catch (error) {
    throw error instanceof HubError ? notFound(asked, error) : error;
  }
}
