/** How a pushed run is loaded: in Python, by its kind, and by this program. */
import type { CardFacts } from "./facts.ts";
import { quotedText } from "./front_matter.ts";

/** A list of texts in Python. */
const listOf = (texts: readonly string[]) => `[${texts.map(quotedText).join(", ")}]`;

/**
 * Where a snippet finds the adapter and its base. A base that lies beside the adapter is loaded from the
 * downloaded folder: given the repository, transformers would take the adapter's config for the base's.
 */
function placesOf({ base, repository }: CardFacts) {
  return base.kind === "inside"
    ? {
      imports: ["from huggingface_hub import snapshot_download"],
      lines: [`folder = snapshot_download(${quotedText(repository)})`],
      base: 'f"{folder}/base"',
      adapter: "folder",
    }
    : {
      imports: [],
      lines: [],
      base: quotedText(base.kind === "hub" ? base.name : repository),
      adapter: quotedText(repository),
    };
}

/** A base may have a classifier of other classes; the adapter brings its own. */
const ownHead = "ignore_mismatched_sizes=True";

function prediction(facts: CardFacts, tokenizer: string): string[] {
  return [
    `tokenizer = AutoTokenizer.from_pretrained(${tokenizer})`,
    `inputs = tokenizer("I am so happy", return_tensors="pt", truncation=True, max_length=${facts.maxLength})`,
    `with torch.no_grad():`,
    `    probabilities = model(**inputs).logits.softmax(-1)[0]`,
    `print(labels[probabilities.argmax()], probabilities.max().item())`,
  ];
}

function peft(facts: CardFacts): string[] {
  const places = placesOf(facts);
  return [
    "import torch",
    ...places.imports,
    "from peft import PeftModel",
    "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
    "",
    `labels = ${listOf(facts.labels)}`,
    ...places.lines,
    "base = AutoModelForSequenceClassification.from_pretrained(",
    `    ${places.base}, num_labels=len(labels), ${ownHead}`,
    ")",
    `model = PeftModel.from_pretrained(base, ${places.adapter}).eval()`,
    ...prediction(facts, places.base),
  ];
}

function adapterhub(facts: CardFacts): string[] {
  const { architecture } = facts;
  const places = placesOf(facts);
  const load = `model.load_adapter(${places.adapter}, use_safetensors=True, set_active=True)`;
  if (architecture?.endsWith("AdapterModel")) {
    // A model of the library's own has its heads beside it, and takes this one with the adapter.
    return [
      "import torch",
      ...places.imports,
      "from adapters import AutoAdapterModel",
      "from transformers import AutoTokenizer",
      "",
      `labels = ${listOf(facts.labels)}`,
      ...places.lines,
      `model = AutoAdapterModel.from_pretrained(${places.base})`,
      load,
      "model.eval()",
      ...prediction(facts, places.base),
    ];
  }
  return [
    "import adapters",
    "import torch",
    ...places.imports,
    `from transformers import AutoTokenizer, ${architecture}`,
    "",
    `labels = ${listOf(facts.labels)}`,
    ...places.lines,
    `model = ${architecture}.from_pretrained(`,
    `    ${places.base}, num_labels=len(labels), ${ownHead}`,
    ")",
    "adapters.init(model)",
    load,
    "model.eval()",
    ...prediction(facts, places.base),
  ];
}

function transformers(facts: CardFacts): string[] {
  const repository = quotedText(facts.repository);
  return [
    "import torch",
    "from transformers import AutoModelForSequenceClassification, AutoTokenizer",
    "",
    `model = AutoModelForSequenceClassification.from_pretrained(${repository}).eval()`,
    `labels = model.config.id2label`,
    ...prediction(facts, repository).with(-1, "best = probabilities.argmax().item()"),
    "print(labels[best], probabilities.max().item())",
  ];
}

/** The lines of a Python program that labels a text; undefined where no library has the method. */
export function pythonSnippet(facts: CardFacts): string[] | undefined {
  switch (facts.kind) {
    case "peft":
      return peft(facts);
    case "adapterhub":
      return adapterhub(facts);
    case "transformers":
      return transformers(facts);
    case "output":
      return undefined;
  }
}

/** The commands that fetch a pushed run and label a text with it here. */
export function commandLines({ repository, base }: CardFacts): string[] {
  const folder = repository.slice(repository.indexOf("/") + 1);
  const model = base.kind === "inside" && !base.builtIn ? ` --model_name ${folder}/base` : "";
  return [
    `hf download ${repository} --local-dir ${folder}`,
    `deno task predict --run ${folder}${model} "I am so happy"`,
  ];
}
