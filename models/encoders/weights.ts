/** Where a model's starting weights come from: a checkpoint folder, or a seeded random start. */
import { type Checkpoint, openCheckpoint } from "../files/checkpoint.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import { readJsonObject } from "../files/json.ts";
import { checkFinite, type NamedTensors } from "../files/run_file.ts";
import { checkSize } from "../files/safetensors.ts";
import type { ParameterSpec } from "../nn/scope.ts";
import type { EncoderConfig } from "./config.ts";
import { type HeadRows, headRows } from "./head_rows.ts";
import { declareModel, encoderOf } from "./mod.ts";

export interface WeightSource {
  /** For the reader: the folder, or "mini (random, seed 0)". */
  description: string;
  /**
   * Reads a tensor by its checkpoint's name; undefined where the source has none and a new one starts. Throws a
   * UserError where the stored shape differs from the wanted one, or where a value is no finite number.
   */
  read(wanted: ParameterSpec): Promise<Float32Array | undefined>;
  /** Sentences for the reader: surplus tensors, new ones. */
  notes: string[];
  /** The one of them that tells where the classifier comes from. */
  headNote?: string;
  close(): void;
}

/** A source without weights: every tensor starts from its initializer. */
export function randomWeights(description: string): WeightSource {
  return { description, read: () => Promise.resolve(undefined), notes: [], close: () => {} };
}

/** A run's trained tensors, by our names, over the base that it was trained from; closing it closes the base. */
export function trainedWeights(trained: NamedTensors, base: WeightSource): WeightSource {
  return {
    ...base,
    read: async (wanted) => trained.get(wanted.name)?.data ?? await base.read(wanted),
  };
}

/**
 * Opens the weights of a checkpoint folder: `model.safetensors` or shards with an index, names with and without
 * the encoder's prefix, LayerNorms called weight/bias or gamma/beta. Throws a UserError naming the tensor where
 * one of the encoder is missing, misshapen or not floating-point; surplus tensors become a note. Pooler and head
 * may be missing, and a head for other classes counts as missing: they start new, with a note. The classes are given by their
 * names, by which the head's rows are found, or, where the checkpoint's own are meant, by their number.
 */
export async function openWeights(
  folder: Folder,
  config: EncoderConfig,
  classes: number | readonly string[],
): Promise<WeightSource> {
  const checkpoint = await openCheckpoint(folder);
  try {
    if (typeof classes === "number") return weightsOf(checkpoint, folder.name, config, classes);
    const fields = await folder.has("config.json")
      ? await readJsonObject(folder, "config.json")
      : {};
    const named = headRows(fields, classes, encoderOf(config).architecture);
    return weightsOf(checkpoint, folder.name, config, classes.length, named);
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** From stored names to our own; other heads' tensors keep theirs. Throws where two are the same tensor. */
function canonicalNames(
  stored: Iterable<string>,
  specs: readonly ParameterSpec[],
  prefix: string,
  folder: string,
): Map<string, string> {
  const known = new Set(specs.map(({ name }) => name));
  const names = new Map<string, string>();
  for (const name of stored) {
    const current = name.replace(/\bLayerNorm\.gamma$/, "LayerNorm.weight")
      .replace(/\bLayerNorm\.beta$/, "LayerNorm.bias");
    const whole = `${prefix}.${current}`;
    const canonical = !known.has(current) && known.has(whole) ? whole : current;
    const other = names.get(canonical);
    if (other !== undefined) {
      throw new UserError(
        `${folder} holds "${other}" and "${name}", which are the same tensor. Remove one of them.`,
      );
    }
    names.set(canonical, name);
  }
  return names;
}

function weightsOf(
  checkpoint: Checkpoint,
  folder: string,
  config: EncoderConfig,
  classes: number,
  named?: HeadRows,
): WeightSource {
  const { specs } = declareModel(config, classes);
  const { prefix, examples } = encoderOf(config);
  const stored = canonicalNames(checkpoint.tensors.keys(), specs, prefix, folder);
  const infoOf = (name: string) => {
    const storedName = stored.get(name);
    return storedName === undefined ? undefined : checkpoint.tensors.get(storedName);
  };
  const fits = ({ name, shape }: Pick<ParameterSpec, "name" | "shape">) =>
    infoOf(name)?.shape.join() === shape.join();
  const checkShape = (wanted: ParameterSpec): void => {
    const info = infoOf(wanted.name);
    if (info !== undefined && !fits(wanted)) {
      throw new UserError(
        `${folder}: "${info.name}" has the shape [${info.shape.join(", ")}], but the model's ` +
          `config.json asks for [${wanted.shape.join(", ")}].`,
      );
    }
  };

  const notes: string[] = [];
  const of = (role: ParameterSpec["role"]) => specs.filter((spec) => spec.role === role);
  const pooler = of("pooler");
  const newPooler = pooler.length > 0 && !pooler.some(({ name }) => stored.has(name));
  if (newPooler) notes.push("The checkpoint has no pooler: it starts new.");
  const body = specs.filter(({ role }) => role !== "head" && !(newPooler && role === "pooler"));
  const missing = body.filter(({ name }) => !stored.has(name));
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    throw new UserError(
      `${folder} lacks the tensor "${missing[0].name}"${more} of a ${config.type} encoder with ` +
        `${config.layers} layer${
          config.layers > 1 ? "s" : ""
        }. Its config.json and its weights must be of one model ` +
        `(such as ${examples}).`,
    );
  }
  const checkStored = (wanted: ParameterSpec): void => {
    const info = infoOf(wanted.name);
    if (info !== undefined) checkSize(info, folder);
    if (info === undefined || ["F64", "F32", "F16", "BF16"].includes(info.dtype)) return;
    throw new UserError(
      `${folder}: "${info.name}" is ${info.dtype}; only F32, F16, BF16 and F64 weights can be read.`,
    );
  };
  for (const spec of body) {
    checkStored(spec); // first: of packed weights the shape differs, too
    checkShape(spec);
  }
  const names = new Set(specs.map((spec) => spec.name));
  const surplus = [...stored].filter(([name]) => !names.has(name)).map(([, name]) => name);
  if (surplus.length > 0) {
    notes.push(
      `${surplus.length} tensor${surplus.length > 1 ? "s" : ""} of the checkpoint ` +
        `${surplus.length > 1 ? "are" : "is"} not used: ${surplus.slice(0, 3).join(", ")}` +
        (surplus.length > 3 ? ", …" : "."),
    );
  }
  // A head comes from the checkpoint whole or not at all.
  const head = of("head");
  const storedHead = head.every(fits) && !(named && "other" in named);
  const rows = named && "rows" in named ? named.rows : undefined;
  const ordered = rows?.every((row, label) => row === label) ?? true;
  let headNote: string;
  if (storedHead) {
    head.forEach(checkStored);
    headNote = `The classifier of ${classes} classes comes from the checkpoint` +
      (ordered ? "." : ": its rows were put in the data's order, by the classes' names.");
  } else {
    const last = infoOf(head.at(-2)!.name);
    const found = last === undefined
      ? "The checkpoint has no classifier"
      : named && "other" in named
      ? `The checkpoint's classifier ${named.other}`
      : `The checkpoint has a classifier [${last.shape.join(", ")}]`;
    headNote = `${found}: one for ${classes} classes starts new.`;
  }
  notes.push(headNote);
  /** The tensors with a row for each class. */
  const perClass = new Set(head.slice(-2).map(({ name }) => name));

  return {
    description: folder,
    notes,
    headNote,
    close: checkpoint.close,
    async read(wanted) {
      if (wanted.role === "head" && !storedHead) return undefined;
      const name = stored.get(wanted.name);
      if (name === undefined) return undefined;
      checkShape(wanted);
      const values = await checkpoint.read(name);
      checkFinite(values, `${folder}: "${name}"`);
      return rows && perClass.has(wanted.name) ? inRows(values, rows) : values;
    },
  };
}

/** A tensor of these rows of another, in this order. */
export function inRows(values: Float32Array, rows: readonly number[]): Float32Array {
  const width = values.length / rows.length;
  const ordered = new Float32Array(values.length);
  for (const [at, row] of rows.entries()) {
    ordered.set(values.subarray(row * width, (row + 1) * width), at * width);
  }
  return ordered;
}
