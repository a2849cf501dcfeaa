/** Where a model's starting weights come from: a checkpoint folder, or a seeded random start. */
import { type Checkpoint, openCheckpoint } from "../files/checkpoint.ts";
import { UserError } from "../errors.ts";
import type { Folder } from "../files/folder.ts";
import type { BertConfig } from "./config.ts";
import { bertParameters, type ParameterSpec } from "./parameters.ts";

export interface WeightSource {
  /** For the reader: the folder, or "mini (random, seed 0)". */
  description: string;
  /**
   * Reads a tensor by its canonical name (see `bertParameters`); undefined where the source has
   * none and a new one starts. Throws a UserError where the stored shape differs from `spec.shape`.
   */
  read(spec: ParameterSpec): Promise<Float32Array | undefined>;
  /** Sentences for the reader: surplus tensors, new ones. Grows when the classifier is read. */
  notes: string[];
  close(): void;
}

/** A source without weights: every tensor starts from its initializer. */
export function randomWeights(description: string): WeightSource {
  return { description, read: () => Promise.resolve(undefined), notes: [], close: () => {} };
}

/**
 * Opens the weights of a BERT checkpoint folder: `model.safetensors` or shards with an index, names
 * with and without the `bert.` prefix, LayerNorms called weight/bias or gamma/beta. Throws a
 * UserError naming the tensor where one of the encoder is missing, misshapen or not floating-point;
 * surplus tensors become a note. Classifier and pooler may be missing: they start new, with a note.
 */
export async function openWeights(folder: Folder, config: BertConfig): Promise<WeightSource> {
  const checkpoint = await openCheckpoint(folder);
  try {
    return weightsOf(checkpoint, folder.name, config);
  } catch (error) {
    checkpoint.close();
    throw error;
  }
}

/** Our name of a stored tensor; other heads' tensors keep theirs. */
function canonicalName(stored: string): string {
  return stored
    .replace(/\bLayerNorm\.gamma$/, "LayerNorm.weight")
    .replace(/\bLayerNorm\.beta$/, "LayerNorm.bias")
    .replace(/^(?=(embeddings|encoder|pooler)\.)/, "bert.");
}

function weightsOf(checkpoint: Checkpoint, folder: string, config: BertConfig): WeightSource {
  const stored = new Map<string, string>();
  for (const name of checkpoint.tensors.keys()) {
    const canonical = canonicalName(name);
    const other = stored.get(canonical);
    if (other !== undefined) {
      throw new UserError(
        `${folder} holds "${other}" and "${name}", which are the same tensor. Remove one of them.`,
      );
    }
    stored.set(canonical, name);
  }
  const infoOf = (name: string) => {
    const storedName = stored.get(name);
    return storedName === undefined ? undefined : checkpoint.tensors.get(storedName);
  };
  const checkShape = ({ name, shape }: ParameterSpec): void => {
    const info = infoOf(name);
    if (info !== undefined && info.shape.join() !== shape.join()) {
      throw new UserError(
        `${folder}: "${info.name}" has the shape [${info.shape.join(", ")}], but the model's ` +
          `config.json asks for [${shape.join(", ")}].`,
      );
    }
  };

  const notes: string[] = [];
  const isHead = (spec: ParameterSpec) => spec.name.startsWith("classifier.");
  const isPooler = (spec: ParameterSpec) => spec.name.startsWith("bert.pooler.");
  // The number of classes does not matter here: the classifier is looked at when it is read.
  const known = bertParameters(config, 1);
  const newPooler = !known.some((spec) => isPooler(spec) && stored.has(spec.name));
  if (newPooler) notes.push("The checkpoint has no pooler: it starts new.");
  const missing = known.filter((spec) =>
    !isHead(spec) && !(newPooler && isPooler(spec)) && !stored.has(spec.name)
  );
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    throw new UserError(
      `${folder} lacks the tensor "${missing[0].name}"${more} of a BERT encoder with ` +
        `${config.layers} layers. Its config.json and its weights must be of one BERT model.`,
    );
  }
  for (const spec of known) {
    if (isHead(spec)) continue;
    checkShape(spec);
    const dtype = infoOf(spec.name)?.dtype;
    if (dtype !== undefined && !["F64", "F32", "F16", "BF16"].includes(dtype)) {
      throw new UserError(
        `${folder}: "${spec.name}" is ${dtype}; only F32, F16, BF16 and F64 weights can be read.`,
      );
    }
  }
  const names = new Set(known.map((spec) => spec.name));
  const surplus = [...stored].filter(([name]) => !names.has(name)).map(([, name]) => name);
  if (surplus.length > 0) {
    notes.push(
      `${surplus.length} tensor${surplus.length > 1 ? "s" : ""} of the checkpoint ` +
        `${surplus.length > 1 ? "are" : "is"} not used: ${surplus.slice(0, 3).join(", ")}` +
        (surplus.length > 3 ? ", …" : "."),
    );
  }

  // Weight and bias come from the checkpoint together or not at all. Decided, and noted, once.
  let decidedFor: number | undefined;
  let headFits = false;
  const usesStoredHead = (classes: number): boolean => {
    if (decidedFor === classes) return headFits;
    decidedFor = classes;
    const weight = infoOf("classifier.weight");
    const bias = infoOf("classifier.bias");
    headFits = weight?.shape.join() === [classes, config.hiddenSize].join() &&
      bias?.shape.join() === [classes].join();
    if (headFits) {
      notes.push(`The classifier of ${classes} classes comes from the checkpoint.`);
    } else {
      const found = weight && bias ? `a classifier [${weight.shape.join(", ")}]` : "no classifier";
      notes.push(`The checkpoint has ${found}: one for ${classes} classes starts new.`);
    }
    return headFits;
  };

  return {
    description: folder,
    notes,
    close: checkpoint.close,
    read: async (spec) => {
      if (isHead(spec) && !usesStoredHead(spec.shape[0])) return undefined;
      const name = stored.get(spec.name);
      if (name === undefined) return undefined;
      checkShape(spec);
      return await checkpoint.read(name);
    },
  };
}
