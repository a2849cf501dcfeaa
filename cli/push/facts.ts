/** What a model card is made of, as plain data: see card.ts. */
import * as v from "valibot";
import { UserError } from "../../models/errors.ts";
import { issueOf } from "../shared/issues.ts";

/** Whose format a run's folder has; `output` is this program's own. */
export type RunKind = "peft" | "adapterhub" | "output" | "transformers";

/** Where others find the base model. */
export type Base =
  | { kind: "hub"; name: string }
  /** It goes along, in the folder `base`; `builtIn` where this program has it too. */
  | { kind: "inside"; builtIn: boolean }
  /** The run is a whole model, and its base has no name on the hub. */
  | { kind: "none" };

const scores = v.object({
  count: v.number(),
  accuracy: v.number(),
  accuracy_interval_95: v.tuple([v.number(), v.number()]),
  macro_precision: v.number(),
  macro_recall: v.number(),
  macro_f1: v.number(),
  per_class: v.array(v.object({
    label: v.string(),
    precision: v.number(),
    recall: v.number(),
    f1: v.number(),
    support: v.number(),
  })),
});

/** What a card says of a `run.json`; all of it may be missing. */
const cardRecord = v.object({
  run: v.optional(v.string()),
  method: v.optional(v.string()),
  label: v.optional(v.string()),
  config: v.optional(v.string()),
  settings: v.optional(v.record(v.string(), v.unknown()), {}),
  labels: v.optional(v.array(v.string())),
  model: v.optional(v.object({
    name: v.string(),
    folder: v.optional(v.string()),
    built_in: v.optional(v.boolean()),
    /** Of older versions, whose built-in model started at random. */
    random_start: v.optional(v.boolean()),
  })),
  dataset: v.optional(v.object({
    name: v.string(),
    source: v.optional(v.string(), ""),
    sample: v.optional(v.boolean(), false),
    examples: v.optional(v.number()),
    split: v.optional(
      v.object({
        train: v.number(),
        validation: v.number(),
        test: v.number(),
        seed: v.optional(v.number()),
        /** The parts that the data came with. */
        given: v.optional(v.array(v.string()), []),
      }),
    ),
  })),
  hyperparameters: v.optional(v.record(v.string(), v.unknown()), {}),
  /** Where the learning rate was searched for. */
  learning_rate_trials: v.optional(v.array(v.unknown())),
  trainable_params: v.optional(v.number()),
  total_params: v.optional(v.number()),
  best_step: v.optional(v.number()),
  best_epoch: v.optional(v.number()),
  training_seconds: v.optional(v.number()),
  adapter: v.optional(v.object({ description: v.string() })),
  versions: v.optional(v.object({ project: v.string(), deno: v.string() })),
  test: v.optional(scores),
  command: v.optional(v.array(v.string())),
  merged_from: v.optional(v.unknown()),
});

export type CardRecord = v.InferOutput<typeof cardRecord>;

/** Reads what a `run.json` holds. Throws a UserError naming the field that is not as this program writes it. */
export function parseRecord(fields: Record<string, unknown>, path: string): CardRecord {
  const parsed = v.safeParse(cardRecord, fields);
  if (parsed.success) return parsed.output;
  throw new UserError(`${path}: ${issueOf(parsed.issues)}.`);
}

export interface CardFacts {
  /** `user/name`. */
  repository: string;
  kind: RunKind;
  base: Base;
  /** The model's class in transformers, where the folder names one. */
  architecture?: string;
  /** In the order of the classifier's rows. */
  labels: string[];
  /** Tokens that a text is cut to. */
  maxLength: number;
  license?: string;
  /** Of `run.json`, without what is private; undefined where there is none. */
  record?: CardRecord;
}

/** The repository of a data set that came from the hub; undefined where it did not. */
export function hubDataset({ dataset }: CardRecord): string | undefined {
  return /^([\w.-]+\/[\w.-]+)@[0-9a-f]{40}\b/.exec(dataset?.source ?? "")?.[1];
}
