/** What a folder with an `adapter_config.json` holds: PEFT's, AdapterHub's or our own. */
import { type Folder, pathIn } from "../../models/files/folder.ts";
import { isObject, readJsonObject } from "../../models/files/json.ts";
import { placementOf } from "../../models/peft/adapterhub_files.ts";
import { headConfigFile, labelsOfHead } from "../../models/peft/adapterhub_head.ts";
import { ownerOf } from "../../models/peft/methods.ts";
import { outputAdapterType } from "../../models/peft/output_adapter_files.ts";
import { adapterConfigFile } from "../../models/peft/run_files.ts";
import { quoted } from "../shared/shell.ts";
import { namesIn, numberIn, textIn } from "../shared/fields.ts";
import { type Found, foundIn, prediction } from "./found.ts";
import { findWeights, sentenceOf } from "./weights.ts";

type Fields = Record<string, unknown>;

/**
 * Tells an adapter's folder, and, where this program reads it, how to label texts with it. Throws a UserError where
 * its config is no JSON object.
 */
export async function inspectAdapter(folder: Folder, files: readonly string[]): Promise<Found> {
  const found = await tellAdapter(folder, files);
  if (found.problems.length > 0) return found;
  found.notes.push(`Training goes on from it: deno task train --model_name ${quoted(found.path)}`);
  return { ...found, use: prediction(found.path) };
}

async function tellAdapter(folder: Folder, files: readonly string[]): Promise<Found> {
  const fields = await readJsonObject(folder, adapterConfigFile);
  const weights = await findWeights(folder, files);
  const needs = (found: Found, file: string) => {
    if (!files.includes(file)) found.problems.push(`${folder.name} has no ${file}.`);
    return found;
  };
  if ("peft_type" in fields) {
    const found = peftAdapter(foundIn(folder.name, "peft", weights), fields);
    return needs(found, "adapter_model.safetensors");
  }
  if (fields.adapter_type === outputAdapterType) {
    const found = outputAdapter(foundIn(folder.name, "output_adapter", weights), fields);
    return needs(found, "adapter.safetensors");
  }
  if (isObject(fields.config)) {
    const found = hubAdapter(foundIn(folder.name, "adapterhub", weights), fields, fields.config);
    needs(found, "adapter.safetensors");
    if (files.includes(headConfigFile)) {
      const head = await readJsonObject(folder, headConfigFile);
      found.details.head = textIn(head.model_class) ?? textIn(head.head_type);
      found.details.labels = labelsOfHead(head);
    }
    return needs(needs(found, headConfigFile), "model_head.safetensors");
  }
  const found = foundIn(folder.name, "unknown", weights);
  found.problems.push(
    `${
      pathIn(folder, adapterConfigFile)
    } has neither PEFT's "peft_type" nor AdapterHub's "config".`,
  );
  return found;
}

function peftAdapter(found: Found, fields: Fields): Found {
  const base = textIn(fields.base_model_name_or_path);
  Object.assign(found.details, {
    peft_type: textIn(fields.peft_type),
    base_model: base,
    task_type: textIn(fields.task_type),
    rank: numberIn(fields.r),
    lora_alpha: numberIn(fields.lora_alpha),
    variant: [...(fields.use_dora ? ["DoRA"] : []), ...(fields.use_rslora ? ["rsLoRA"] : [])]
      .join(", ") || undefined,
    target_modules: namesIn(fields.target_modules),
    feedforward_modules: namesIn(fields.feedforward_modules),
    saved_whole: namesIn(fields.modules_to_save),
  });
  notRead(found, () => ownerOf(fields, `${found.path}/${adapterConfigFile}`));
  const python = `PeftModel.from_pretrained(model, ${JSON.stringify(found.path)})`;
  found.notes.push(`In Python's PEFT, with its base model (${base ?? "not named"}): ${python}.`);
  return found;
}

function hubAdapter(found: Found, fields: Fields, bottleneck: Fields): Found {
  const base = textIn(fields.model_name);
  Object.assign(found.details, {
    name: textIn(fields.name),
    base_model: base,
    model_type: textIn(fields.model_type),
    architecture: textIn(bottleneck.architecture) ?? "bottleneck",
    hidden_size: numberIn(fields.hidden_size),
    reduction_factor: numberIn(bottleneck.reduction_factor),
    rank: numberIn(bottleneck.r),
    non_linearity: textIn(bottleneck.non_linearity),
  });
  notRead(found, () => {
    const placement = placementOf(bottleneck, `${found.path}/${adapterConfigFile}`);
    found.details.placement = textIn(fields.placement) ?? placement;
  });
  const binary = found.weights.length === 0 ? "" : ", use_safetensors=True";
  found.notes.push(
    `In Python's adapters, with its base model (${base ?? "not named"}), after ` +
      `adapters.init(model): model.load_adapter(${JSON.stringify(found.path)}${binary}).`,
  );
  return found;
}

function outputAdapter(found: Found, fields: Fields): Found {
  Object.assign(found.details, {
    base_model: textIn(fields.base_model_name_or_path),
    model_type: textIn(fields.model_type),
    hidden_size: numberIn(fields.hidden_size),
    size: numberIn(fields.size),
    labels: namesIn(fields.labels),
  });
  found.notes.push(
    `No other library has this placement; models/peft/output_adapter_files.ts tells its formula ` +
      `and its tensors.`,
  );
  return found;
}

/** Notes what a reader of models/peft refuses. */
function notRead(found: Found, read: () => void): void {
  try {
    read();
  } catch (error) {
    found.problems.push(`This program's reader refuses it: ${sentenceOf(error)}`);
  }
}
