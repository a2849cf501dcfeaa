/** Runs as files: a zip with the folder that PEFT, AdapterHub or transformers load and its base, and such files opened. */
import { unzipSync, type Zippable, zipSync } from "fflate";
import { formatBytes } from "../../engine/bytes.ts";
import { UserError } from "../../models/errors.ts";
import { maxTokens } from "../../models/encoders/config.ts";
import { type Folder, memoryFolder } from "../../models/files/folder.ts";
import { isObject, readJsonObject } from "../../models/files/json.ts";
import { piecesOf, type RunFile } from "../../models/files/run_file.ts";
import { exportRun, readRun } from "../../models/peft/export.ts";
import { countParameters, definitionOf, runName } from "../../models/peft/methods.ts";
import { adapterConfigFile, classesOf } from "../../models/peft/run_files.ts";
import type { StepEvent } from "../../models/training/events.ts";
import { stepLine } from "../../models/training/step_line.ts";
import type { Base } from "./base.ts";
import { pathOf } from "./local_model.ts";
import { runFacts } from "./run_json.ts";
import type { Trained } from "./trained.ts";

async function bytesOf(file: RunFile): Promise<Uint8Array> {
  return new Uint8Array(await new Blob(piecesOf(file) as BlobPart[]).arrayBuffer());
}

/** Numbers of weights look like noise: to compress them takes long, and saves little. */
const stored = (name: string, bytes: Uint8Array): Zippable[string] =>
  name.endsWith(".safetensors") ? [bytes, { level: 0 }] : bytes;

/**
 * A zip with the run's folder, named as the run, and beside it `base`, over which adapters are loaded, unless the hub has
 * it. Unpacked, the run's folder is what `deno task train` writes, without the reports.
 */
export async function zipOf(
  trained: Trained,
  base: Base,
  steps: readonly StepEvent[],
): Promise<Uint8Array<ArrayBuffer>> {
  const { name, method, labels, weights } = trained;
  const files = await exportRun({
    method,
    config: base.config,
    labels: [...labels],
    baseModel: { name: base.origin === "hub" ? base.name : "base", folder: base.folder },
    weights,
    tokenizerFiles: base.tokenizer.files,
  });
  const entries: Zippable = {};
  for (const file of files) {
    entries[`${name}/${file.name}`] = stored(file.name, await bytesOf(file));
  }
  const text = (content: string) => new TextEncoder().encode(content);
  entries[`${name}/run.json`] = text(`${JSON.stringify(runFacts(trained, base), null, 2)}\n`);
  if (steps.length > 0) entries[`${name}/steps.jsonl`] = text(steps.map(stepLine).join(""));
  if (!definitionOf(method).trainsAll && base.origin !== "hub") {
    for (const file of await base.folder.list()) {
      entries[`base/${file}`] = stored(file, await base.folder.bytes(file));
    }
  }
  return zipSync(entries) as Uint8Array<ArrayBuffer>;
}

/** Bytes of a zip, packed and unpacked, above which it is not opened in a page's memory. */
const mostZip = 2e9;

/** Files by name: those in a zip, or those that were chosen as they are. */
async function filesIn(files: readonly File[]): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const file of files) {
    const bytes = new Uint8Array(await file.arrayBuffer());
    if (!/\.zip$/i.test(file.name)) {
      found.set(pathOf(file), bytes);
      continue;
    }
    let entries: Record<string, Uint8Array>;
    try {
      let unpacked = 0;
      entries = unzipSync(bytes, {
        filter: ({ originalSize }) => (unpacked += originalSize) <= mostZip,
      });
      if (unpacked > mostZip) {
        throw new UserError(
          `${file.name} would be ${formatBytes(unpacked)} unpacked, more than a page can hold.`,
        );
      }
    } catch (cause) {
      if (cause instanceof UserError) throw cause;
      throw new UserError(`${file.name} is no zip file, or a damaged one.`, { cause });
    }
    for (const [path, content] of Object.entries(entries)) {
      if (!path.endsWith("/")) found.set(path, content);
    }
  }
  return found;
}

/** The folders that hold a run: those with an adapter's config, or with a run.json and a model's config. */
function runFolders(files: ReadonlyMap<string, Uint8Array>): Folder[] {
  const folders = new Set(
    [...files.keys()].map((path) => path.slice(0, path.lastIndexOf("/") + 1)),
  );
  return [...folders].flatMap((prefix) => {
    const inside = new Map(
      [...files].filter(([path]) => path.startsWith(prefix))
        .map(([path, bytes]) => [path.slice(prefix.length), bytes]),
    );
    const isRun = inside.has(adapterConfigFile) ||
      inside.has("run.json") && inside.has("config.json");
    if (!isRun) return [];
    return [memoryFolder(prefix.replace(/\/$/, "").split("/").at(-1) || "your-files", inside)];
  });
}

const wanted = "Choose a zip that this page made, or a folder's files together: " +
  `${adapterConfigFile}, its weights (safetensors) and, where there is one, run.json.`;

/** Reads the runs in chosen files. Throws a UserError where there is none, or one that is not of this base. */
export async function openRuns(files: readonly File[], base: Base): Promise<Trained[]> {
  const folders = runFolders(await filesIn(files));
  if (folders.length === 0) {
    throw new UserError(`There is no trained run in these files. ${wanted}`);
  }
  const opened: Trained[] = [];
  for (const folder of folders) {
    const { method, weights, labels } = await readRun(folder, base.config);
    const classes = classesOf(weights, base.config, folder.name);
    opened.push({
      name: folder.name === "your-files" ? runName(method) : folder.name,
      method,
      weights,
      labels: labels ?? Array.from({ length: classes }, (_, id) => `LABEL_${id}`),
      trainableParameters: countParameters(base.config, method, classes).trainable,
      maxLength: Math.min(await maxLengthOf(folder), maxTokens(base.config)),
      origin: "opened from files",
    });
  }
  return opened;
}

async function maxLengthOf(folder: Folder): Promise<number> {
  if (!(await folder.has("run.json"))) return 512;
  const { hyperparameters } = await readJsonObject(folder, "run.json");
  const length = isObject(hyperparameters) ? hyperparameters.max_length : undefined;
  return typeof length === "number" && length >= 3 && length <= 512 ? Math.floor(length) : 512;
}
