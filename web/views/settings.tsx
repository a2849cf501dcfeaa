/** How it is trained: the method and its size, and the hyperparameters. */
import { useEffect, useState } from "preact/hooks";
import type { Base } from "../lab/base.ts";
import { maxTokens } from "../../models/encoders/config.ts";
import type { Lab } from "../lab/lab.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Split } from "../../models/data/split.ts";
import { countParameters, type Method, methods } from "../../models/peft/methods.ts";
import { defaultHyperparameters, type Hyperparameters } from "../../models/training/events.ts";
import { lengthOf } from "../../models/training/length.ts";
import { Choice, NumberField, Slider } from "./fields.tsx";
import { count, percent } from "./format.ts";

type Kind = "lora" | "adapter" | "full" | "ia3";

const kinds = [
  { value: "lora", label: "LoRA" },
  { value: "adapter", label: "Adapter" },
  { value: "ia3", label: "IA³" },
  { value: "full", label: "Full" },
] as const;

/** What each does, in a sentence. */
const explained: Record<Kind, string> = {
  lora: "W stays as it is; a product B A of two thin matrices beside query and value is trained.",
  adapter: "A narrow bottleneck behind each layer is trained; the layers stay as they are.",
  ia3: "Three vectors a layer are trained, which scale keys, values and what the layer widens to.",
  full: "Every weight is trained, as before there was PEFT.",
};

const ranks = [1, 2, 4, 8, 16, 32, 64];
const sizes = [8, 16, 32, 64, 128, 256];

/** The rate at which all methods do well over the built-in model: see assets/mini/README.md. */
const miniLearningRate = 2e-3;

/** The rate of a base: over others than the built-in one, the command line's. */
const rateOf = ({ origin }: Base) =>
  origin === "built-in" ? miniLearningRate : defaultHyperparameters.learningRate;

/** Steps of the warm-up: the default, or a fifth of a run of less than twice as many. */
const warmupOf = (totalSteps: number) => {
  const { warmupSteps } = defaultHyperparameters;
  return totalSteps < 2 * warmupSteps ? Math.floor(totalSteps / 5) : warmupSteps;
};

interface Asked {
  learningRate: number | undefined;
  epochs: number | undefined;
  batchSize: number | undefined;
  maxLength: number | undefined;
  maxSteps: number | undefined;
  warmupSteps: number | undefined;
  seed: number | undefined;
}

const { epochs, batchSize, seed } = defaultHyperparameters;

/** Validations on fewer sentences than this do not tell epochs apart: the last weights are taken. */
const fewestValidated = 20;

/** Hyperparameters of a run over a split; undefined where a field holds no number. */
function planned(asked: Asked, { train, validation }: Split): Hyperparameters | undefined {
  const { learningRate, epochs, batchSize, maxLength, seed, maxSteps } = asked;
  const missing = [learningRate, epochs, batchSize, maxLength, seed].includes(undefined);
  if (missing) return undefined;
  const given = {
    ...defaultHyperparameters,
    learningRate: learningRate!,
    epochs: epochs!,
    batchSize: batchSize!,
    maxLength: maxLength!,
    seed: seed!,
    ...(maxSteps !== undefined && { maxSteps }),
  };
  const { totalSteps } = lengthOf(given, train.length);
  return {
    ...given,
    warmupSteps: asked.warmupSteps ?? warmupOf(totalSteps),
    ...(validation.length < fewestValidated && { evalSteps: totalSteps }),
  };
}

function methodOf(kind: Kind, size: { rank: number; width: number }): Method {
  if (kind === "lora") return loraDefaults(size.rank);
  if (kind === "adapter") return methods.adapter.plan({ size: [size.width] })[0];
  return methods[kind].plan({})[0];
}

interface Props {
  lab: Lab;
  onTrain(method: Method, hyperparameters: Hyperparameters): void;
}

export function Settings({ lab, onTrain }: Props) {
  const [kind, setKind] = useState<Kind>("lora");
  const [rankAt, setRankAt] = useState(ranks.indexOf(8));
  const [sizeAt, setSizeAt] = useState(sizes.indexOf(64));
  const { data: { dataset, split }, base, isTaken } = lab;
  const { config } = base;
  const longest = Math.min(defaultHyperparameters.maxLength, maxTokens(config));
  const ofBase = { learningRate: rateOf(base), maxLength: longest };
  const [asked, setAsked] = useState<Asked>({
    ...ofBase,
    epochs,
    batchSize,
    maxSteps: undefined,
    warmupSteps: undefined,
    seed,
  });
  useEffect(() => setAsked((asked) => ({ ...asked, ...ofBase })), [base]);
  const method = methodOf(kind, { rank: ranks[rankAt], width: sizes[sizeAt] });
  const counts = countParameters(config, method, dataset.labels.length);
  const hyperparameters = planned(asked, split);
  const length = hyperparameters && lengthOf(hyperparameters, split.train.length);
  const field = (name: keyof Asked, label: string, least: number, rest = {}) => (
    <NumberField
      label={label}
      value={asked[name]}
      least={least}
      disabled={isTaken}
      onChange={(value) => setAsked({ ...asked, [name]: value })}
      {...rest}
    />
  );
  return (
    <form
      class="panel"
      onSubmit={(event) => {
        event.preventDefault();
        if (hyperparameters && !isTaken) onTrain(method, hyperparameters);
      }}
    >
      <h3>Method</h3>
      <Choice<Kind>
        legend="Train"
        value={kind}
        options={kinds}
        disabled={isTaken}
        onChange={setKind}
      />
      <p class="hint">{explained[kind]}</p>
      {kind === "lora" && (
        <Slider
          label="Rank"
          at={rankAt}
          values={ranks}
          disabled={isTaken}
          onChange={setRankAt}
        />
      )}
      {kind === "adapter" && (
        <Slider
          label="Size"
          at={sizeAt}
          values={sizes}
          disabled={isTaken}
          onChange={setSizeAt}
        />
      )}
      <p class="facts" aria-live="polite">
        <b>{count(counts.trainable)}</b> of {count(counts.total)} parameters train (
        {percent(counts.trainable, counts.total)}).
      </p>
      <div class="fields">
        {field("learningRate", "Learning rate", 0, { step: "any" })}
        {field("epochs", "Epochs", 1, { most: 1000 })}
      </div>
      <details>
        <summary>More settings</summary>
        <div class="fields">
          {field("batchSize", "Batch size", 1, { most: 1024 })}
          {field("maxLength", "Tokens a sentence", 3, { most: longest })}
          {field("maxSteps", "Steps at most", 1, { placeholder: "all" })}
          {field("warmupSteps", "Warm-up steps", 0, {
            placeholder: String(hyperparameters?.warmupSteps ?? ""),
          })}
          {field("seed", "Seed", 0, { most: 2 ** 32 - 1 })}
        </div>
      </details>
      <p class="actions">
        <button type="submit" class="main" aria-disabled={isTaken || !hyperparameters}>
          Train
        </button>
        <span class="hint" role="status">
          {length ? `${count(length.totalSteps)} steps` : "A number is missing."}
          {hyperparameters?.evalSteps !== undefined &&
            ", and one validation after the last: there are few sentences for it."}
        </span>
      </p>
    </form>
  );
}
