/** A pretraining from its texts to the model's folder. Loading this file loads the engine. */
import { join } from "node:path";
import { createDevice, type Device } from "../../engine/device.ts";
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import { UserError } from "../../models/errors.ts";
import { indexFile } from "../../models/files/shards.ts";
import { exists, hostFolder } from "../../models/host/files.ts";
import { weightsDiffer, weightsFingerprint } from "../../models/host/fingerprint.ts";
import { type ResolvedModel, resolveModel } from "../../models/host/resolve.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import { writeFiles } from "../../models/host/write_files.ts";
import { distil } from "../../models/pretraining/distil.ts";
import type {
  PretrainEvaluation,
  PretrainIdentity,
  PretrainResult,
} from "../../models/pretraining/events.ts";
import { pretrainedFiles } from "../../models/pretraining/export.ts";
import { mlm } from "../../models/pretraining/mlm.ts";
import type { Objective } from "../../models/pretraining/objective.ts";
import { pretrain } from "../../models/pretraining/run.ts";
import { tokenizerFileNames } from "../../models/text/tokenizer.ts";
import { adviceForPretraining, messageWithAdvice } from "../shared/advice.ts";
import { formatAdapter, formatBytes, formatCount } from "../shared/format.ts";
import { hubSettings } from "../shared/hub.ts";
import { quoted } from "../shared/shell.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import { giveUp } from "../shared/permissions.ts";
import { newestCheckpoint } from "../train/checkpoints.ts";
import { type Fact, printFacts } from "../train/facts.ts";
import type { Session } from "../train/session.ts";
import { cardText } from "./card.ts";
import { type Corpus, cutTexts, readAllTexts, vocabularyOf } from "./corpus.ts";
import type { PretrainFlags } from "./flags.ts";
import type { PretrainPlan } from "./plan.ts";
import { learnVectors } from "./teaching.ts";
import { watch, type Watched } from "./watch.ts";
import {
  dropWork,
  type PretrainWork,
  statesFolder,
  vocabularyPath,
  workFolder,
  writeWork,
} from "./work.ts";

export interface PretrainingOptions {
  flags: PretrainFlags;
  plan: PretrainPlan;
  output: string;
  /** The model's, for its card. */
  name: string;
  /** The command's arguments; of a run that goes on those that began it. */
  args: readonly string[];
  /** What the run which goes on began with. */
  resumed: PretrainWork | undefined;
  session: Session;
  /** Progress goes here. */
  out: Output;
  err: Output;
}

/** The document of `--json`. */
export interface PretrainReport {
  output: string;
  objective: string;
  parameters: number;
  vocab_size: number;
  sentences: number;
  steps: number;
  tokens: number;
  training_seconds: number;
  evaluations: PretrainEvaluation[];
  bytes: number;
}

const kept = 2;

/** The texts in tokens; the vocabulary is trained once, and kept for what goes on. */
async function loadCorpus({ flags, plan, output, resumed, err }: PretrainingOptions) {
  const read = await readAllTexts(flags.text, flags);
  for (const notice of read.notices) {
    err.write(renderNotice(err, messageWithAdvice(notice, adviceForPretraining)));
  }
  const path = vocabularyPath(output);
  const vocabulary = resumed !== undefined && await exists(path)
    ? await Deno.readTextFile(path)
    : await vocabularyOf(read.texts, { file: flags.vocab, size: plan.vocabSize });
  const lengths = {
    maxLength: plan.settings.maxLength,
    maxPositions: plan.sizes.maxPositions,
  };
  const corpus = await cutTexts(read, vocabulary, lengths);
  if (resumed !== undefined && resumed.hash !== corpus.hash) {
    throw new UserError(
      `${flags.text.join(", ")}: the texts are not those that the run began with. --overwrite ` +
        `begins again.`,
    );
  }
  await writeFileWhole(path, vocabulary);
  return corpus;
}

/** The encoder to distil from; undefined where none is asked for. Throws a UserError where it cannot be had. */
async function findTeacher(
  { plan, err }: PretrainingOptions,
): Promise<ResolvedModel | undefined> {
  if (plan.teacher === undefined) return undefined;
  const teacher = await resolveModel(plan.teacher, hubSettings(err));
  for (const notice of teacher.notices) err.write(renderNotice(err, notice));
  return teacher;
}

/** The fingerprint of the teacher's weights. Throws a UserError where the run that goes on began with others. */
async function teacherWeights(
  teacher: ResolvedModel,
  resumed: PretrainWork | undefined,
): Promise<string> {
  const weights = await weightsFingerprint(hostFolder(teacher.folder));
  if (!weightsDiffer(resumed?.teacher, weights)) return weights;
  throw new UserError(
    `${teacher.name}: the teacher's weights are not those that the run began with. --overwrite ` +
      `begins again.`,
  );
}

/** What the student learns; undefined where the session was to stop before the teacher had told all. */
async function objectiveOf(
  device: Device,
  corpus: Corpus,
  teacher: ResolvedModel | undefined,
  { plan, output, out, session }: PretrainingOptions,
): Promise<Objective | undefined> {
  const { sentences, texts, tokenizer } = corpus;
  if (teacher === undefined) {
    const maskId = tokenizer.idOf("[MASK]")!;
    return mlm({ sentences, maskId, vocabSize: tokenizer.vocabSize });
  }
  const vectors = await learnVectors(device, {
    teacher,
    texts,
    maxLength: plan.settings.maxLength,
    output,
    out,
    stopRequested: () => session.stop !== undefined,
  });
  return vectors && distil({ sentences, vectors });
}

function factsOf(corpus: Corpus, { plan }: PretrainingOptions, device: Device): Fact[] {
  const { layers, hiddenSize, heads, intermediateSize } = plan.sizes;
  const { sentences, dropped, tokenizer } = corpus;
  const tokens = sentences.reduce((sum, { length }) => sum + length, 0);
  return [
    [
      "Model",
      `BERT, ${layers} layers, ${hiddenSize} wide, ${heads} heads, ${intermediateSize} in ` +
      `the feed-forward part, ${formatCount(tokenizer.vocabSize)} WordPieces`,
    ],
    [
      "Text",
      `${formatCount(sentences.length)} sentences, ${formatCount(tokens)} tokens` +
      (dropped > 0 ? ` (${formatCount(dropped)} empty or repeated ones dropped)` : ""),
    ],
    ["Learns", plan.objective === "mlm" ? "masked words" : `the vectors of ${plan.teacher}`],
    ["GPU", formatAdapter(device.info)],
  ];
}

/**
 * Runs a pretraining, or what is left of one, and writes the model. Returns what is told of it; undefined where the
 * session was to stop. Throws a UserError for what the user can put right.
 */
export async function runPretraining(
  options: PretrainingOptions,
): Promise<PretrainReport | undefined> {
  const { plan, output, args, resumed, session, out, err } = options;
  const device = await createDevice();
  try {
    const teacher = await findTeacher(options);
    const corpus = await loadCorpus(options);
    giveUp("net");
    await writeWork(output, {
      command: [...args],
      hash: corpus.hash,
      ...(teacher && { teacher: await teacherWeights(teacher, resumed) }),
    });
    printFacts(factsOf(corpus, options, device), out);
    session.training = true;
    const objective = await objectiveOf(device, corpus, teacher, options);
    if (!objective) return undefined;
    const config: EncoderConfig = { ...plan.sizes, vocabSize: corpus.tokenizer.vocabSize };
    const folder = statesFolder(output);
    const report = (text: string) => err.write(renderNotice(err, text));
    const stopped = await newestCheckpoint<PretrainIdentity, PretrainEvaluation>(folder, report);
    const events = pretrain({
      device,
      config,
      objective,
      settings: plan.settings,
      texts: corpus.texts,
      hash: corpus.hash,
      checkpointSteps: options.flags.checkpointSteps,
      stopRequested: () => session.stop !== undefined,
    }, stopped?.state);
    const checkpoints = { folder, keep: kept, unfinished: session.unfinished };
    const watched = await watch(events, { objective, stopped, checkpoints, session, out, err });
    if (!watched) return undefined;
    return await writeModel(watched, { ...options, corpus, config, objective, device });
  } finally {
    device.destroy();
  }
}

/** Writes the model's folder and removes the work; the config comes last. */
async function writeModel(
  { result, losses }: Watched,
  { flags, plan, output, name, args, out, corpus, config, objective, device }:
    & PretrainingOptions
    & { corpus: Corpus; config: EncoderConfig; objective: Objective; device: Device },
): Promise<PretrainReport> {
  const dtype = flags.dtype ?? "f32";
  const parameters = parametersOf(result);
  const card = cardText({
    name,
    plan,
    config,
    objective,
    parameters,
    dtype,
    result,
    losses,
    texts: flags.text,
    adapter: formatAdapter(device.info),
    command: args,
  });
  const { tokenizer } = corpus;
  const { weights } = result;
  const files = [
    { name: "README.md", content: card },
    ...pretrainedFiles({ config, objective: objective.name, weights, tokenizer, dtype }),
  ];
  await removeStale(output, files.map(({ name }) => name));
  const { bytes } = await writeFiles(output, files);
  await dropWork(output);
  await Deno.remove(workFolder(output), { recursive: true });
  out.write(`Saved ${output}, ${formatBytes(bytes)}\n`);
  out.write(`Use it: deno task train --model_name ${quoted(output)}\n`);
  return {
    output,
    objective: objective.name,
    parameters,
    vocab_size: config.vocabSize,
    sentences: objective.sentences.length,
    steps: result.totalSteps,
    tokens: result.tokens,
    training_seconds: result.trainingSeconds,
    evaluations: result.evaluations,
    bytes,
  };
}

/** Removes files of a model that was there before and that would be read in place of these. */
async function removeStale(output: string, written: readonly string[]): Promise<void> {
  for (const name of [...tokenizerFileNames, indexFile]) {
    const path = join(output, name);
    if (!written.includes(name) && await exists(path)) await Deno.remove(path);
  }
}

/** Values of the encoder, its pooler with it. */
function parametersOf({ weights }: PretrainResult): number {
  const encoder = [...weights].filter(([name]) => name.startsWith("bert."));
  return encoder.reduce((sum, [, { data }]) => sum + data.length, 0);
}
