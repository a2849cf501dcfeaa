/** What a push would send: the files with their public content, and the model card. Asks no network. */
import { messageOf, UserError } from "../../models/errors.ts";
import type { Folder } from "../../models/files/folder.ts";
import { miniModel } from "../../models/host/built_in.ts";
import { hostFolder } from "../../models/host/files.ts";
import type { PushedFile } from "../../models/host/upload.ts";
import { quoted } from "../shared/shell.ts";
import { baseBeside, findFolder } from "../trained/run.ts";
import { modelCard } from "./card.ts";
import { type Base, type CardFacts, hubDataset, parseRecord } from "./facts.ts";
import type { PushFlags } from "./flags.ts";
import { publicConfig, publicRecord } from "./public.ts";
import { checkLinks, isBuiltIn } from "./sent.ts";
import { filesToPush, hubNameOf, jsonText, type PushedRun, readPushedRun } from "./run_folder.ts";

export interface PushPlan {
  run: string;
  repository: string;
  branch: string;
  private: boolean;
  message: string;
  files: PushedFile[];
  /** Files of the run's folder that stay here. */
  left: string[];
  card: string;
  warnings: string[];
}

/** Where others find the base, and the folder that goes along where they cannot. */
async function baseOf(
  run: PushedRun,
  { baseModel, withBase }: PushFlags,
): Promise<{ base: Base; folder?: Folder; warnings: string[] }> {
  const { kind, baseName, record, folder } = run;
  const name = baseModel ?? await hubNameOf(baseName, record?.model);
  const unused = "--with_base has no effect: the base model need not go along.";
  const warnings = withBase !== undefined && (name !== undefined || kind === "transformers")
    ? [unused]
    : [];
  if (name !== undefined) return { base: { kind: "hub", name }, warnings };
  if (kind === "transformers") return { base: { kind: "none" }, warnings };
  const { built_in: recorded = false, random_start: random = false } = record?.model ?? {};
  const builtIn = recorded || random || baseName === miniModel;
  // The user's word, not the file's, which may be a stranger's.
  if (withBase !== undefined) {
    if (!(await hostFolder(withBase).has("config.json"))) {
      throw new UserError(`--with_base ${withBase}: there is no folder with a model's files.`, {
        exitCode: 2,
      });
    }
    return { base: { kind: "inside", builtIn }, folder: hostFolder(withBase), warnings };
  }
  if (builtIn) {
    const beside = baseBeside(folder);
    if (!(await beside.has("config.json"))) {
      throw new UserError(
        `${folder.name} is an adapter over ${
          baseName ?? "a model"
        } as it lay in ${beside.name} alone: it is ` +
          `not there, and without it the adapter is of no use to others.`,
      );
    }
    if (await isBuiltIn(beside)) {
      return { base: { kind: "inside", builtIn: true }, folder: beside, warnings };
    }
    throw new UserError(
      `${folder.name} is an adapter over ${
        baseName ?? "a model"
      }, but ${beside.name} holds other weights than ` +
        `this version's ${miniModel}. If it is the run's base, send it with --with_base ${
          quoted(beside.name)
        }.`,
      { exitCode: 2 },
    );
  }
  const what = baseName === undefined
    ? `a model that its files do not name`
    : `${baseName}, which is no name on the hub`;
  const local = record?.model?.folder ?? baseName;
  const place = local !== undefined && await hostFolder(local).has("config.json")
    ? quoted(local)
    : "FOLDER";
  throw new UserError(
    `${folder.name} is an adapter over ${what}: others could not load it. Say what the base is ` +
      `called there with --base_model USER/NAME, or send it along with --with_base ${place}.`,
    { exitCode: 2 },
  );
}

/** A file of a run as it goes public: JSON without the machine's paths, all else as it is. */
async function publicFile(
  folder: Folder,
  name: string,
  base: string | undefined,
): Promise<PushedFile["content"]> {
  const path = `${folder.name}/${name}`;
  if (!name.endsWith(".json") || name === "tokenizer.json" || name.endsWith(".index.json")) {
    return { file: path };
  }
  const text = await jsonText(folder, name);
  const cleaned = publicConfig(text, base);
  return cleaned === text ? { file: path } : { text: cleaned };
}

/** A run's `run.json` without what is private; undefined where there is none. */
function recordInPublic(
  { fields, record, folder, baseName }: PushedRun,
  base: Base,
  asked: string | undefined,
): Record<string, unknown> | undefined {
  if (fields === undefined || record === undefined) return undefined;
  const { model, dataset } = record;
  const repository = hubDataset(record);
  const baseInPublic = base.kind === "hub" ? asked ?? baseName ?? base.name : undefined;
  const known = [
    baseInPublic,
    repository,
    repository && dataset?.name,
    repository && dataset?.source,
  ]
    .filter((name) => name !== undefined);
  const secrets = [model?.folder, model?.name, dataset?.name, dataset?.source, folder.name]
    .filter((text) => text !== undefined)
    .filter((text) => /[\\/]/.test(text) && !known.includes(text));
  return publicRecord(fields, { base: baseInPublic, known, secrets });
}

async function cardFrom(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (cause) {
    throw new UserError(`The model card ${path} cannot be read: ${messageOf(cause)}.`, { cause });
  }
}

/**
 * Plans a push. Throws a UserError where the folder is no run, or where others could not load what would be
 * sent.
 */
export async function planPush(flags: PushFlags): Promise<PushPlan> {
  const { run: path, repo: repository } = flags;
  if (path === undefined || repository === undefined) {
    throw new UserError(
      "Say which run with --run FOLDER, and where to with --repo USER/NAME. See deno task push --help.",
      { exitCode: 2 },
    );
  }
  const run = await readPushedRun(await findFolder(path));
  const { folder, kind, labels, architecture, maxLength, record } = run;
  const { base, folder: baseFolder, warnings } = await baseOf(run, flags);
  const shown = recordInPublic(run, base, flags.baseModel);
  const facts: CardFacts = {
    repository,
    kind,
    base,
    architecture,
    labels,
    maxLength,
    license: flags.license,
    record: shown && parseRecord(shown, "run.json"),
  };
  const card = flags.card === undefined ? modelCard(facts) : await cardFrom(flags.card);
  const nameInside = base.kind === "hub"
    ? flags.baseModel
    : base.kind === "inside"
    ? "base"
    : undefined;
  const files: PushedFile[] = [{ path: "README.md", content: { text: card } }];
  await checkLinks(folder, run.files);
  for (const name of run.files) {
    const content = name === "run.json"
      ? { text: `${JSON.stringify(shown, null, 2)}\n` }
      : await publicFile(folder, name, nameInside);
    files.push({ path: name, content });
  }
  if (baseFolder !== undefined) {
    const names = await filesToPush(baseFolder, "transformers");
    const isOurs = base.kind === "inside" && base.builtIn;
    if (isOurs && await baseFolder.has("README.md")) names.push("README.md"); // it tells sources and licences
    await checkLinks(baseFolder, names);
    for (const name of names) {
      files.push({
        path: `base/${name}`,
        content: await publicFile(baseFolder, name, undefined),
      });
    }
  }
  return {
    run: folder.name,
    repository,
    branch: flags.branch ?? "main",
    private: flags.private,
    message: flags.message ?? `Add ${record?.run ?? "a fine-tuned model"}`,
    files,
    left: run.left,
    card,
    warnings: [
      ...warnings,
      ...(flags.card !== undefined && flags.license !== undefined
        ? ["--license has no effect with --card: the card names it."]
        : []),
    ],
  };
}
