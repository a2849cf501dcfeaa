/** Model cards: the header, what is said of a run, and what of the machine is not. */
import assert from "node:assert/strict";
import { modelCard } from "../../cli/push/card.ts";
import { type CardFacts, parseRecord } from "../../cli/push/facts.ts";
import { frontMatter } from "../../cli/push/front_matter.ts";
import { publicCommand, publicConfig, publicRecord } from "../../cli/push/public.ts";

Deno.test("a header's texts are quoted where YAML 1.1 or 1.2 would read something else", () => {
  // The lines as PyYAML 6 and huggingface_hub's ModelCard read them back.
  const lines = frontMatter({
    license: "apache-2.0",
    left_out: undefined,
    tags: [
      "yes",
      "null",
      "1e5",
      "on",
      "joy|love",
      'it\'s "x": #1',
      "- a",
      "a b",
      "",
      "\x9b\u2028é",
    ],
    none: [],
    "key: odd": { value: 0.125, list: [{ a: "b", c: ["d"] }] },
  });
  assert.deepEqual(lines, [
    "---",
    "license: apache-2.0",
    "tags:",
    '  - "yes"',
    '  - "null"',
    '  - "1e5"',
    '  - "on"',
    '  - "joy|love"',
    '  - "it\'s \\"x\\": #1"',
    '  - "- a"',
    '  - "a b"',
    '  - ""',
    '  - "\\u009b\\u2028é"',
    "none: []",
    '"key: odd":',
    "  value: 0.125",
    "  list:",
    "    - a: b",
    "      c:",
    "        - d",
    "---",
  ]);
});

const labels = ["joy|love", "<b>_x_", "```", "no"];
const revision = "0123456789abcdef0123456789abcdef01234567";

/** A run.json of a LoRA run, as training writes it. */
const record = {
  run: "lora-r4",
  method: "lora",
  label: "LoRA",
  config: "r=4",
  settings: { rank: 4, use_dora: false },
  labels,
  notices: ["Cannot reach it. The cache folder is /home/ann/My Cache/hub (see there)."],
  model: { name: "bert-base-uncased", folder: "/home/ann/.cache/hf/x", built_in: false },
  dataset: {
    name: "org/emotions",
    source: `org/emotions@${revision}: data/train.parquet`,
    sample: false,
    text_column: "a/b/c",
    split: { train: 80, validation: 10, test: 10 },
  },
  hyperparameters: { learning_rate: 5e-4, max_length: 64 },
  trainable_params: 9869,
  total_params: 1653517,
  best_epoch: 3,
  training_seconds: 75,
  adapter: { description: "AMD/ATI/Radeon" },
  versions: { project: "0.1.0", deno: "2.9.6" },
  test: {
    count: 10,
    accuracy: 0.5,
    accuracy_interval_95: [0.2366, 0.7634],
    macro_precision: 0.25,
    macro_recall: 0.375,
    macro_f1: 0.3,
    per_class: labels.map((label) => ({ label, precision: 1, recall: 0, f1: 0.5, support: 3 })),
  },
  command: ["--dataset", "org/emotions", "--output_dir", "/home/ann/out", "--rank=4"],
};

const factsOf = (more: Partial<CardFacts> = {}): CardFacts => ({
  repository: "me/emo",
  kind: "peft",
  base: { kind: "hub", name: "google-bert/bert-base-uncased" },
  labels,
  maxLength: 64,
  record: parseRecord(record, "run.json"),
  ...more,
});

/** The part of a card between two lines. */
const between = (card: string, from: string, to: string) =>
  card.slice(card.indexOf(from) + from.length, card.indexOf(to, card.indexOf(from) + from.length));

Deno.test("a card tells the hub what the run is, over what, on which data, and how good", () => {
  const card = modelCard(factsOf({ license: "mit" }));
  const header = between(card, "---\n", "\n---").split("\n");
  for (
    const line of [
      "license: mit",
      "library_name: peft",
      "pipeline_tag: text-classification",
      "base_model: google-bert/bert-base-uncased",
      "base_model_relation: adapter",
      "  - org/emotions",
      "  - lora",
      "          type: org/emotions",
      "            value: 0.5",
    ]
  ) assert.ok(header.includes(line), line);
  assert.match(
    card,
    /\nLoRA \(r=4\) over \[google-bert\/bert-base-uncased\]\(\S+\), trained on org\/emotions\./,
  );
  assert.match(card, /4 classes: joy\\\|love, &lt;b&gt;\\_x\\_, \\`\\`\\`, no\./);
  assert.ok(card.includes("| Accuracy | 0.5000 (95 % interval: 0.2366 to 0.7634) |"));
  assert.ok(card.includes("| joy\\|love | 1.0000 | 0.0000 | 0.5000 | 3 |"));
  assert.ok(card.includes("| `learning_rate` | `0.0005` |"));
  assert.ok(card.includes("- 9,869 of 1,653,517 parameters trained (0.60 %)"));
  // No line of a label's ends the block of code.
  const python = between(card, "```python\n", "\n```\n");
  assert.ok(python.includes('labels = ["joy|love", "<b>_x_", "```", "no"]'));
  assert.ok(python.includes('PeftModel.from_pretrained(base, "me/emo")'));
});

Deno.test("each kind has its library, and its way to be loaded", () => {
  const full = modelCard(factsOf({ kind: "transformers", base: { kind: "none" } }));
  assert.match(full, /\nlibrary_name: transformers\n/);
  assert.doesNotMatch(full, /base_model/);
  assert.match(full, /AutoModelForSequenceClassification\.from_pretrained\("me\/emo"\)/);
  const hub = modelCard(factsOf({
    kind: "adapterhub",
    architecture: "BertForSequenceClassification",
    base: { kind: "inside", builtIn: true },
  }));
  assert.match(hub, /\nlibrary_name: adapter-transformers\n/);
  assert.match(hub, /folder = snapshot_download\("me\/emo"\)/);
  assert.match(hub, /BertForSequenceClassification\.from_pretrained\(\n {4}f"\{folder\}\/base"/);
  assert.match(hub, /load_adapter\(folder, use_safetensors=True, set_active=True\)/);
  assert.match(hub, /--run emo "I am so happy"/);
  const own = modelCard(factsOf({ kind: "adapterhub", architecture: "BertAdapterModel" }));
  const python = between(own, "```python\n", "\n```\n");
  assert.match(python, /AutoAdapterModel\.from_pretrained\("google-bert\/bert-base-uncased"\)\n/);
  assert.doesNotMatch(python, /BertAdapterModel|adapters\.init|num_labels/);
  const output = modelCard(factsOf({ kind: "output", base: { kind: "inside", builtIn: false } }));
  assert.doesNotMatch(output, /library_name|```python/);
  assert.match(output, /--run emo --model_name emo\/base "I am so happy"/);
  const bySteps = { ...record, best_step: 1200, hyperparameters: { eval_steps: 400 } };
  const stepped = modelCard(factsOf({ record: parseRecord(bySteps, "run.json") }));
  assert.match(stepped, /\n- step 1,200 had the best macro F1/);
  const { dataset } = record;
  const searched = {
    ...record,
    dataset: { ...dataset, split: { ...dataset.split, seed: 7 } },
    learning_rate_trials: [{}, {}],
  };
  const tuned = modelCard(factsOf({ record: parseRecord(searched, "run.json") }));
  assert.match(tuned, /10 to test on, split by seed 7\n- the learning rate was found by 2 shorter/);
  const bare = modelCard(factsOf({ record: undefined }));
  assert.doesNotMatch(bare, /undefined|## Results|## Training|model-index/);
});

Deno.test("a run.json goes public without paths, and stays one that evaluate reads", () => {
  const names = {
    base: "bert-base-uncased",
    known: ["org/emotions", record.dataset.source],
    secrets: ["data/my tweets"],
  };
  const merged = { run: "/srv/My Runs/lora-r4", base: "C:\\models\\x", state: "../a b/c" };
  const warnings = [
    "Row 3 of data/my tweets/a.csv is empty.",
    "1 / 2 of 3/4 at https://a.b/c/d stays.",
  ];
  const shown = publicRecord({ ...record, merged_from: merged, warnings }, names);
  const text = JSON.stringify(shown);
  assert.doesNotMatch(text, /\bann\b|srv|My Runs|My Cache|data\/my|folder"|out"/);
  assert.deepEqual(shown.merged_from, { run: "lora-r4", base: "x", state: "c" });
  assert.deepEqual(shown.notices, ["Cannot reach it. The cache folder is hub (see there)."]);
  assert.deepEqual(shown.warnings, ["Row 3 of my tweets/a.csv is empty.", warnings[1]]);
  assert.deepEqual(shown.model, { name: "bert-base-uncased", built_in: false });
  assert.deepEqual(shown.command, ["--dataset", "org/emotions", "--rank=4"]);
  for (const field of ["dataset", "test", "labels", "adapter", "hyperparameters"] as const) {
    assert.deepEqual(shown[field], record[field], field);
  }
});

Deno.test("a command keeps its words, but for paths and where results went", () => {
  const cases: [string[], string[]][] = [
    [["--dataset=../x/my data.csv", "--rank", "4"], ["--dataset=my data.csv", "--rank", "4"]],
    [["--model-name", "~/models/bert/", "--use_sample"], ["--model-name", "bert", "--use_sample"]],
    [["--output-dir=/a", "--experiment", "secret", "--json", "--overwrite"], []],
    [["--dataset", "C:\\Users\\ann\\x.csv"], ["--dataset", "x.csv"]],
    [["--model_name", "org/bert", "--learning_rate", "full=2e-5,lora=5e-4"], [
      "--model_name",
      "org/bert",
      "--learning_rate",
      "full=2e-5,lora=5e-4",
    ]],
  ];
  for (const [command, shown] of cases) {
    assert.deepEqual(publicCommand(command, ["org/bert"]), shown);
  }
});

Deno.test("a config names the base as others know it, and keeps its numbers as they are written", () => {
  const text = '{"base_model_name_or_path": "/home/ann/base", "scaling": 1.0, "eps": 1e-12}';
  const shown = publicConfig(text, "org/base");
  assert.deepEqual(JSON.parse(shown), {
    base_model_name_or_path: "org/base",
    scaling: 1,
    eps: 1e-12,
  });
  assert.match(shown, /"scaling": 1\.0/);
  assert.match(publicConfig(text, undefined), /"base_model_name_or_path": "base"/);
  assert.equal(publicConfig(`\ufeff${text}`, "org/base"), shown);
  const same = '{"_name_or_path":"org/base","id2label":{"0":"/r/funny"}}';
  assert.equal(publicConfig(same, undefined), same);
});
