/** The model card of a pushed run: README.md with the hub's header. Pure: from facts to text. */
import { formatCount, formatDuration, formatPercent } from "../shared/format.ts";
import { quoted } from "../shared/shell.ts";
import { type Column, renderMarkdown } from "../shared/table.ts";
import { obeyed } from "../shared/terminal.ts";
import { type CardFacts, type CardRecord, hubDataset, type RunKind } from "./facts.ts";
import { frontMatter, type Yaml } from "./front_matter.ts";
import { commandLines, pythonSnippet } from "./snippets.ts";

const libraries: Record<RunKind, string | undefined> = {
  peft: "peft",
  adapterhub: "adapter-transformers",
  transformers: "transformers",
  output: undefined,
};

/** Text from a file on one line, without characters that a terminal or a page obeys. */
const oneLine = (text: string) => text.replace(/\s+/g, " ").replace(obeyed, "");

/** Text from a file as Markdown shows it: no markup, one line. */
export function plain(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };
  return oneLine(text).replace(/[&<>]/g, (character) => entities[character])
    .replace(/[\\`*[\]~#|]|(?<!\w)_|_(?!\w)/g, "\\$&");
}

/** A data set's name as the header's `type` may have it. */
const slug = (name: string) => name.replace(/[^\w./-]+/g, "-").replace(/^[^\w]+/, "") || "data";

const decimals = (value: number) => value.toFixed(4);

function results(facts: CardFacts, record: CardRecord): Yaml | undefined {
  const { dataset, test } = record;
  if (dataset === undefined || test === undefined) return undefined;
  const metrics: [string, string, number][] = [
    ["accuracy", "Accuracy", test.accuracy],
    ["f1", "F1 (macro)", test.macro_f1],
    ["precision", "Precision (macro)", test.macro_precision],
    ["recall", "Recall (macro)", test.macro_recall],
  ];
  return [{
    name: facts.repository.slice(facts.repository.indexOf("/") + 1),
    results: [{
      task: { type: "text-classification", name: "Text classification" },
      dataset: {
        name: dataset.split?.given.includes("test")
          ? `${dataset.name}, its test part`
          : `${dataset.name}, a tenth held out for the test`,
        type: hubDataset(record) ?? slug(dataset.name),
      },
      metrics: metrics.map(([type, name, value]) => ({ type, name, value })),
    }],
  }];
}

function header(facts: CardFacts): string[] {
  const { base, kind, license, record = { settings: {}, hyperparameters: {} } } = facts;
  const dataset = hubDataset(record);
  const method = record.settings.use_dora === true ? "dora" : record.method;
  const tags = [
    ...(kind === "adapterhub" ? ["adapter-transformers", "adapterhub"] : []),
    ...(method === undefined || method === "full" ? [] : [method]),
    ...(record.merged_from === undefined ? [] : ["merged"]),
    "webgpu",
  ];
  return frontMatter({
    license,
    library_name: libraries[kind],
    pipeline_tag: "text-classification",
    base_model: base.kind === "hub" ? base.name : undefined,
    base_model_relation: base.kind !== "hub"
      ? undefined
      : kind === "transformers"
      ? "finetune"
      : "adapter",
    datasets: dataset === undefined ? undefined : [dataset],
    metrics: record.test === undefined ? undefined : ["accuracy", "f1", "precision", "recall"],
    tags,
    "model-index": results(facts, record),
  });
}

/** What it is, in a paragraph. */
function summary({ base, kind, labels, record }: CardFacts): string[] {
  const { label, config, dataset, merged_from: merged } = record ?? {};
  const method = label === undefined
    ? "A fine-tuned model"
    : `${plain(label)}${config && config !== "-" ? ` (${plain(config)})` : ""}`;
  const over = base.kind === "hub"
    ? `[${plain(base.name)}](https://huggingface.co/${base.name})`
    : base.kind === "inside" && base.builtIn
    ? "a small BERT that is built into the program"
    : record?.model === undefined
    ? "a base model"
    : plain(record.model.name);
  const data = dataset === undefined
    ? ""
    : `, trained on ${plain(dataset.name)}${dataset.sample ? " (a small built-in sample)" : ""}`;
  const lines = [
    `${method} over ${over}${data}. It sorts texts into ${labels.length} classes: ` +
    `${labels.map(plain).join(", ")}.`,
  ];
  if (merged !== undefined) {
    lines.push("", "The adapter is merged into the base: this is a whole model.");
  }
  if (base.kind === "inside") {
    lines.push(
      "",
      "The base model is on no hub of its own: it lies here too, in the folder `base`.",
    );
  }
  if (kind === "output") {
    lines.push(
      "",
      "The adapter sits on the pooled vector p, as p + A(p) before the classifier, with " +
        "A(p) = up(ReLU(down(p))). No Python library has this placement.",
    );
  }
  return lines;
}

function scoreLines({ dataset, test }: CardRecord): string[] {
  if (test === undefined) return [];
  const [low, high] = test.accuracy_interval_95.map(decimals);
  const overall: Column[] = [{ title: "Metric" }, { title: "Value", right: true }];
  const columns: Column[] = ["Precision", "Recall", "F1", "Support"].map((title) => ({
    title,
    right: true,
  }));
  const rows = test.per_class.map(({ label, precision, recall, f1, support }) => [
    plain(label).replaceAll("\\|", "|"), // the table escapes it
    ...[precision, recall, f1].map(decimals),
    formatCount(support),
  ]);
  return [
    "## Results",
    "",
    `On the test part, ${formatCount(test.count)} texts` +
    (dataset === undefined ? "" : ` of ${plain(dataset.name)}`) +
    // A part that the data came with may share texts with the training part, which the run's notices tell.
    (dataset?.split?.given.includes("test") ? ":" : ", none of which was trained on:"),
    "",
    ...renderMarkdown(overall, [
      ["Accuracy", `${decimals(test.accuracy)} (95 % interval: ${low} to ${high})`],
      ["Macro F1", decimals(test.macro_f1)],
      ["Macro precision", decimals(test.macro_precision)],
      ["Macro recall", decimals(test.macro_recall)],
    ]),
    "",
    "The interval is Wilson's; it covers the choice of test texts, not of the training's seed.",
    "",
    ...renderMarkdown([{ title: "Class" }, ...columns], rows),
    "",
  ];
}

/** A setting's value, as code where it can be. */
function code(value: unknown): string {
  const text = oneLine(typeof value === "string" ? value : JSON.stringify(value) ?? "");
  return text.trim() === "" || text.includes("`") ? plain(text) : `\`${text}\``;
}

function trainingLines(record: CardRecord): string[] {
  const { settings, hyperparameters, dataset, command, adapter, versions } = record;
  const { learning_rate_trials: trials } = record;
  const rows = Object.entries({ ...settings, ...hyperparameters })
    .map(([name, value]) => [code(name), code(value)]);
  const split = dataset?.split;
  const best = record.best_step !== undefined && hyperparameters.eval_steps !== undefined
    ? `step ${formatCount(record.best_step)}`
    : record.best_epoch && `epoch ${record.best_epoch}`;
  const facts = [
    split && `${formatCount(split.train)} texts to train on, ${formatCount(split.validation)} to ` +
      `choose the weights by, ${formatCount(split.test)} to test on` +
      (split.seed === undefined ? "" : `, split by seed ${split.seed}`),
    trials !== undefined &&
    `the learning rate was found by ${
        formatCount(trials.length)
      } shorter trainings, on the texts to ` +
      `choose by`,
    record.trainable_params !== undefined && record.total_params !== undefined &&
    `${formatCount(record.trainable_params)} of ${formatCount(record.total_params)} parameters ` +
      `trained (${formatPercent((100 * record.trainable_params) / record.total_params)})`,
    best !== undefined && `${best} had the best macro F1 and is saved`,
    record.training_seconds !== undefined &&
    `${formatDuration(record.training_seconds)} of training` +
      (adapter === undefined ? "" : ` on ${plain(adapter.description)}`),
    versions && `PEFT on WebGPU ${plain(versions.project)}, Deno ${plain(versions.deno)}`,
  ].filter((fact) => typeof fact === "string");
  if (rows.length === 0 && facts.length === 0) return [];
  return [
    "## Training",
    "",
    "Trained with PEFT on WebGPU, whose kernels are WGSL. Loss is cross-entropy; the optimiser is " +
    "AdamW.",
    "",
    ...facts.map((fact) => `- ${fact}`),
    "",
    ...(rows.length > 0
      ? [...renderMarkdown([{ title: "Setting" }, { title: "Value" }], rows), ""]
      : []),
    ...(command === undefined ? [] : [
      "The command:",
      "",
      ...fenced("sh", [
        ["deno task train", ...command.map((word) => quoted(oneLine(word), "linux"))].join(
          " ",
        ),
      ]),
    ]),
  ];
}

const fenced = (language: string, lines: string[]) => [`\`\`\`${language}`, ...lines, "```", ""];

function usageLines(facts: CardFacts): string[] {
  const python = pythonSnippet(facts);
  return [
    "## Use it",
    "",
    ...(python ? ["In Python:", "", ...fenced("python", python)] : []),
    "With PEFT on WebGPU, once it is downloaded:",
    "",
    ...fenced("sh", commandLines(facts)),
  ];
}

/** The text of a run's model card. */
export function modelCard(facts: CardFacts): string {
  const { record } = facts;
  const title = facts.repository.slice(facts.repository.indexOf("/") + 1);
  return [
    ...header(facts),
    "",
    `# ${plain(title)}`,
    "",
    ...summary(facts),
    "",
    ...usageLines(facts),
    ...(record ? [...scoreLines(record), ...trainingLines(record)] : []),
  ].join("\n");
}
