/** Tells by a folder's files what it is: a model, an adapter, a run, an experiment or a data set. */
import { basename, dirname, join, resolve } from "node:path";
import { pathsInFolder } from "../../models/data/choose.ts";
import { isHidden, isTable, otherFolder } from "../../models/data/kind.ts";
import { maxTokens, parseConfig } from "../../models/encoders/mod.ts";
import { openWeights } from "../../models/encoders/weights.ts";
import { deepest } from "../../models/host/locate.ts";
import { hostFolder } from "../../models/host/files.ts";
import { type Folder, pathIn } from "../../models/files/folder.ts";
import { isObject, readJsonObject } from "../../models/files/json.ts";
import { adapterConfigFile } from "../../models/peft/run_files.ts";
import { loadTokenizer } from "../../models/text/tokenizer.ts";
import { namesIn, numberIn, textIn } from "../shared/fields.ts";
import { quoted } from "../shared/shell.ts";
import { inspectAdapter } from "./adapter.ts";
import { inspectDataFolder, tableEnds, type Where } from "./data.ts";
import { type Found, foundIn, prediction } from "./found.ts";
import { findWeights, sentenceOf } from "./weights.ts";

const runFile = "run.json";
const configFile = "config.json";
/** What an experiment has that is not finished. */
const workFile = "checkpoints/command.json";

/**
 * Tells a folder by its files and those of folders in it; `where` says by whose rules a data set's table is
 * chosen. Throws a UserError where a JSON file that tells is damaged.
 */
export async function inspectFolder(folder: Folder, where: Where = "disk"): Promise<Found> {
  const all = (await folder.list()).filter((name) => !isHidden(name));
  const files = all.filter((name) => !name.includes("/"));
  if (files.includes(runFile)) {
    const report = await readJsonObject(folder, runFile);
    if (isReport(report)) return await inspectRun(folder, files, report);
  }
  if (files.includes(adapterConfigFile)) return await inspectAdapter(folder, files);
  if (files.includes(configFile)) return await inspectModel(folder, files);
  const runs = all.filter((name) => basename(name) === runFile && name !== runFile);
  if (runs.length > 0 || all.includes(workFile)) {
    return await inspectExperiment(folder, runs, where);
  }
  if (all.some(isTable)) return await inspectDataFolder(folder, all, where);
  if (where === "disk") {
    const deeper = hostFolder(folder.name, deepest);
    const below = pathsInFolder(await deeper.list());
    if (below.some(isTable)) return await inspectDataFolder(deeper, below, where);
  }
  const found = foundIn(folder.name, "unknown", await findWeights(folder, files));
  const other = otherFolder(files, folder.name);
  if (other) found.problems.push(other.message);
  found.notes.push(
    `Looked for ${configFile} (a model), ${adapterConfigFile} (an adapter), ${runFile} (a run, ` +
      `or in a folder below an experiment) and ${tableEnds} (a data set).`,
  );
  return found;
}

/** A model in Hugging Face's format, and whether training can start from it. */
async function inspectModel(folder: Folder, files: readonly string[]): Promise<Found> {
  const found = foundIn(folder.name, "model", await findWeights(folder, files));
  const fields = await readJsonObject(folder, configFile);
  const labels = isObject(fields.id2label) ? Object.values(fields.id2label).map(String) : undefined;
  Object.assign(found.details, {
    model_type: textIn(fields.model_type) ?? "not named",
    architectures: namesIn(fields.architectures),
    labels,
  });
  if (found.damaged) return found;
  try {
    const config = parseConfig(fields, pathIn(folder, configFile));
    const { layers, hiddenSize, heads, vocabSize } = config;
    Object.assign(found.details, {
      layers,
      hidden_size: hiddenSize,
      heads,
      vocabulary: vocabSize,
      longest_text: `${maxTokens(config)} tokens`,
    });
    found.notes.push(...(await loadTokenizer(folder, vocabSize)).notices);
    // Reads headers, and checks them against what the config asks for.
    const weights = await openWeights(folder, config, labels?.length || 2);
    weights.close();
    found.use = { command: `deno task train --model_name ${quoted(folder.name)}` };
  } catch (error) {
    found.problems.push(sentenceOf(error));
    found.use = { text: "this program cannot train it as it is." };
  }
  return found;
}

/** Whether a run.json is one of this program's. */
function isReport(report: Record<string, unknown>): boolean {
  return typeof report.method === "string" && isObject(report.test);
}

function scoresOf(report: Record<string, unknown>) {
  const test = isObject(report.test) ? report.test : {};
  return {
    accuracy: numberIn(test.accuracy),
    macro_f1: numberIn(test.macro_f1),
    trainable: numberIn(report.trainable_params),
  };
}

const nameIn = (value: unknown) => isObject(value) ? textIn(value.name) : undefined;
const methodIn = ({ label, method, config }: Record<string, unknown>) =>
  [textIn(label) ?? textIn(method), textIn(config)].filter((part) => part && part !== "-").join(
    " ",
  );

/** A run: its scores, then what its weights are. */
async function inspectRun(
  folder: Folder,
  files: readonly string[],
  report: Record<string, unknown>,
): Promise<Found> {
  const inner = files.includes(adapterConfigFile)
    ? await inspectAdapter(folder, files)
    : files.includes(configFile)
    ? await inspectModel(folder, files)
    : foundIn(folder.name, "unknown", await findWeights(folder, files));
  const { accuracy, macro_f1, trainable } = scoresOf(report);
  const details = {
    method: methodIn(report),
    accuracy: accuracy?.toFixed(4),
    macro_f1: macro_f1?.toFixed(4),
    trainable_parameters: trainable,
    model: nameIn(report.model),
    data_set: nameIn(report.dataset),
    merged_from: isObject(report.merged_from) ? textIn(report.merged_from.run) : undefined,
    finished: textIn(report.finished),
    ...inner.details,
    labels: namesIn(report.labels),
  };
  const use = inner.problems.length > 0 ? inner.use : prediction(folder.name);
  return { ...inner, kind: "run", details, use };
}

/** The flags that give another run the model and the data of this one, so that the two compare. */
function sameFlags({ model, dataset }: Record<string, unknown>): string {
  const [modelName, dataName] = [model, dataset].map(nameIn);
  const data = isObject(dataset) && dataset.sample === true
    ? " --use_sample"
    : dataName && ` --dataset ${quoted(dataName)}`;
  return `${modelName ? ` --model_name ${quoted(modelName)}` : ""}${data ?? ""}`;
}

/** An experiment: a table of its runs. */
async function inspectExperiment(
  folder: Folder,
  files: readonly string[],
  where: Where,
): Promise<Found> {
  const found = foundIn(folder.name, "experiment");
  found.runs = [];
  let same = "";
  for (const file of files) {
    const run = dirname(file);
    try {
      const report = await readJsonObject(folder, file);
      if (!isReport(report)) continue;
      if (isObject(report.merged_from)) {
        // Its scores are those of the run that it was made of.
        const from = basename(textIn(report.merged_from.run) ?? "a run");
        found.notes.push(`${run} is ${from}, merged into its base.`);
        continue;
      }
      found.runs.push({ run, method: methodIn(report), ...scoresOf(report) });
      found.details.model ??= nameIn(report.model);
      found.details.data_set ??= nameIn(report.dataset);
      if (same === "") same = sameFlags(report);
    } catch (error) {
      found.problems.push(sentenceOf(error));
      found.damaged = true;
    }
  }
  if (await folder.has(workFile)) {
    const { runs, done } = await readJsonObject(folder, workFile);
    const [all, finished] = [runs, done].map((value) => Array.isArray(value) ? value : []);
    found.details.unfinished = all.filter((run) => !finished.includes(run)).map(String);
    found.use = { command: `deno task train --resume ${quoted(folder.name)}` };
    return found;
  }
  if (found.runs.length === 0) return { ...found, kind: "unknown" };
  const best = found.runs.toSorted((a, b) => (b.accuracy ?? 0) - (a.accuracy ?? 0))[0].run;
  if (where === "disk") {
    found.notes.push(`A run by itself: deno task inspect ${quoted(join(folder.name, best))}`);
  }
  const path = resolve(folder.name) === resolve(".") ? resolve(folder.name) : folder.name;
  const [parent, name] = [dirname(path), basename(path)].map((part) => quoted(part));
  found.use = { command: `deno task train --output_dir ${parent} --experiment ${name}${same}` };
  return found;
}
