/** The model card of a pretrained model: what it is, how it was made, how the loss went. */
import { type PretrainEvaluation, type PretrainResult } from "../../models/pretraining/events.ts";
import type { Objective, Score } from "../../models/pretraining/objective.ts";
import type { EncoderConfig } from "../../models/encoders/mod.ts";
import { countOf, formatCount, formatDuration, formatRate } from "../shared/format.ts";
import { quoted } from "../shared/shell.ts";
import { renderMarkdown } from "../shared/table.ts";
import type { PretrainPlan } from "./plan.ts";

export interface CardFacts {
  name: string;
  plan: PretrainPlan;
  config: EncoderConfig;
  objective: Objective;
  parameters: number;
  dtype: string;
  result: PretrainResult;
  /** Losses of all steps. */
  losses: readonly number[];
  /** Names of the text files. */
  texts: readonly string[];
  /** What it was trained on: an adapter's name. */
  adapter: string;
  /** Arguments of the command. */
  command: readonly string[];
}

/** Points of the loss curve. */
const points = 20;

/** Means of the losses over equal parts of the run, each with its last step. */
export function lossCurve(losses: readonly number[]): { step: number; loss: number }[] {
  const count = Math.min(points, losses.length);
  return Array.from({ length: count }, (_, index) => {
    const from = Math.floor(index * losses.length / count);
    const step = Math.floor((index + 1) * losses.length / count);
    const part = losses.slice(from, step);
    return { step, loss: part.reduce((sum, loss) => sum + loss, 0) / part.length };
  });
}

const objectives = {
  distil: ({ teacher }: PretrainPlan) =>
    `Distilled from \`${teacher}\`: its sentence vectors, mean-pooled and normalised, are what the ` +
    `pooled vector gives through a linear map, and the mean of the hidden states through another. ` +
    `Both maps are thrown away; the loss is the sum of one minus either cosine.`,
  mlm: () =>
    "Trained to tell masked words: 15 % of the tokens, of which 80 % are replaced by [MASK], 10 % " +
    "by any token, and 10 % stay. The pooler is not trained by that, and lies there as it started.",
};

function evaluationTable(scores: readonly Score[], evaluations: readonly PretrainEvaluation[]) {
  return renderMarkdown(
    [
      { title: "Epoch", right: true },
      { title: "Step", right: true },
      ...scores.map(({ label }) => ({ title: label, right: true })),
    ],
    evaluations.map(({ epoch, step, scores: told }) => [
      `${epoch}`,
      formatCount(step),
      ...scores.map(({ name }) => told[name].toFixed(4)),
    ]),
  );
}

/** The text of README.md. */
export function cardText(facts: CardFacts): string {
  const { name, plan, config, objective, parameters, dtype, result, losses } = facts;
  const { settings } = plan;
  const curve = renderMarkdown(
    [{ title: "Step", right: true }, { title: "Loss", right: true }],
    lossCurve(losses).map(({ step, loss }) => [formatCount(step), loss.toFixed(4)]),
  );
  const length = settings.maxSteps === undefined
    ? countOf(settings.epochs, "epoch")
    : countOf(settings.maxSteps, "step");
  return [
    "---",
    "library_name: transformers",
    "pipeline_tag: feature-extraction",
    "tags:",
    "  - bert",
    "---",
    "",
    `# ${name}`,
    "",
    `A BERT of ${countOf(config.layers, "layer")}, ${config.hiddenSize} wide, with ` +
    `${countOf(config.heads, "head")} and ` +
    `${config.intermediateSize} in the feed-forward part: ${formatCount(parameters)} parameters, ` +
    `stored as ${dtype}, and ${
      formatCount(config.vocabSize)
    } WordPieces, lower case. It was trained ` +
    `from scratch by \`deno task pretrain\`.`,
    "",
    objectives[objective.name](plan),
    "",
    `Sentences were cut to ${settings.maxLength} tokens: positions beyond that are not trained.`,
    "",
    "## Training",
    "",
    `- Texts: ${facts.texts.map((text) => `\`${text}\``).join(", ")}; ` +
    `${countOf(objective.sentences.length, "sentence")}, of which 2 % were held out.`,
    `- ${length} of ${countOf(settings.batchSize, "sentence")} a step, ${
      countOf(result.totalSteps, "step")
    } ` +
    `and ${formatCount(result.tokens)} tokens in all; AdamW, learning rate ` +
    `${
      formatRate(settings.learningRate)
    }, warm-up ${settings.warmupRatio}, then linear to 0, weight ` +
    `decay ${settings.weightDecay}, clipping at ${settings.maxGradNorm}, seed ${settings.seed}.`,
    `- ${formatDuration(result.trainingSeconds)} of training steps on ${facts.adapter}.`,
    "",
    `    deno task pretrain ${facts.command.map((word) => quoted(word, "linux")).join(" ")}`,
    "",
    "On the held-out sentences:",
    "",
    ...evaluationTable(objective.scores, result.evaluations),
    "",
    "The loss, each a mean since the row before:",
    "",
    ...curve,
    "",
  ].join("\n");
}
