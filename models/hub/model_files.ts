/** Which repository a model's name means, and which of its files are a model. */
import { hubOwner } from "../encoders/mod.ts";
import { listed, type Remedy, UserError } from "../errors.ts";
import { indexFile } from "../files/shards.ts";
import { adapterConfigFile } from "../peft/run_files.ts";
import type { Repository } from "./repository.ts";

export const configFile = "config.json";

/** What can be done where a model cannot be had. */
export const otherModel: Remedy = { kind: "otherModel" };

/**
 * The repositories that a name may mean. The hub moved the first models from bare names to their owners';
 * older programs cached them under the bare name.
 */
export function repositoriesOf(name: string): Repository[] {
  const owner = hubOwner(name);
  const names = name.includes("/") ? [name] : owner === undefined ? [] : [`${owner}/${name}`, name];
  return names.map((name) => ({ type: "model", name }));
}

/** Whether a model on the hub may have that name. */
export function isHubName(name: string): boolean {
  return /^[\w-][\w.-]*(\/[\w.-]+)?$/.test(name) && !/\/\.+$/.test(name) &&
    repositoriesOf(name).length > 0;
}

/** What is said of a folder or repository, `where`, that has no config. */
export function noConfig(where: string, files: readonly string[] = []): UserError {
  if (files.includes(adapterConfigFile)) {
    return new UserError(
      `${where} is an adapter, which lies over a model and is none by itself: it has ` +
        `${adapterConfigFile} and no ${configFile}.`,
      { remedy: otherModel },
    );
  }
  const below = [adapterConfigFile, configFile].flatMap((file) =>
    files.filter((name) => name.split("/")[1] === file).map((name) => name.split("/")[0])
  );
  if (below.length > 0) {
    return new UserError(
      `${where} has no ${configFile}; models or adapters lie in folders below it: ` +
        `${listed([...new Set(below)], 5)}. Name one of these.`,
      { remedy: { kind: "useModel", name: `${where}/${below[0]}` } },
    );
  }
  return new UserError(`${where} has no ${configFile}, so it is no model in HF's format.`, {
    remedy: otherModel,
  });
}

/** Throws a UserError where a repository has no config, which an adapter's has not. */
export function checkHasConfig(name: string, files: readonly string[]): void {
  if (files.includes(configFile)) return;
  if (!files.includes(adapterConfigFile)) throw noConfig(name);
  throw new UserError(
    `${name} is an adapter, which lies over a model and is none by itself. To go on with it, ` +
      `download it with Python's huggingface_hub: snapshot_download("${name}", local_dir="adapter").`,
    { remedy: { kind: "useModel", name: "adapter" } },
  );
}

/** The files of a model beside its weights, of which a tokenizer has one or the other. */
const smallFiles = [
  configFile,
  "tokenizer_config.json",
  "special_tokens_map.json",
  "added_tokens.json",
  "tokenizer.json",
  "vocab.txt",
];

/** Whether a file may be one that a model is read from. */
export const isModelFile = (name: string) =>
  smallFiles.includes(name) || name === indexFile || /^[^/]*\.safetensors$/.test(name);

/** Those of a repository's files that tell what a model is and how its texts are cut, without its weights. */
export const smallFilesOf = (present: readonly string[]): string[] =>
  smallFiles.filter((path) =>
    present.includes(path) && !(path === "vocab.txt" && present.includes("tokenizer.json"))
  );
