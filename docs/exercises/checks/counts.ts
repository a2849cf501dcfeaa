/** Exercise 1: predicted counts of parameters. */
import { bertBaseUncased } from "../../../models/encoders/mod.ts";
import { countParameters, type Method, methods } from "../../../models/peft/methods.ts";
import { answers } from "../counts.ts";
import { type Exercise, missing, type Outcome, solved } from "./exercise.ts";

const classes = 13;

const loraOn = (rank: number, modules: string[], use_dora = false): Method =>
  methods.lora.plan({ rank: [rank], lora_target_modules: modules, use_dora })[0];

/** Each question's method, and what to think of where an answer is wrong. */
export const questions: Record<string, { method: Method; hint: string }> = {
  "LoRA, rank 2, beside query, key and value": {
    method: loraOn(2, ["query", "key", "value"]),
    hint: "a layer gets A [2, 768] and B [768, 2]; count the layers, and the classifier.",
  },
  "LoRA, rank 8, beside intermediate.dense alone": {
    method: loraOn(8, ["intermediate.dense"]),
    hint:
      "intermediate.dense is no square: A has as many columns as it takes, B as many rows as it gives.",
  },
  "DoRA, rank 4, beside query and value": {
    method: loraOn(4, ["query", "value"], true),
    hint: "DoRA adds the length of every row of W to LoRA.",
  },
  "adapters of size 16, houlsby": {
    method: methods.adapter.plan({ size: [16], adapter_placement: "houlsby" })[0],
    hint: "down and up have biases, and houlsby has two bottlenecks a layer.",
  },
  "IA3 on keys and values alone": {
    method: methods.ia3.plan({
      ia3_target_modules: ["key", "value"],
      ia3_feedforward_modules: [],
    })[0],
    hint: "one vector of 768 for each of them; and the classifier trains under every method.",
  },
};

/** Compares answers with what the code counts. */
export function checkCounts(given: Record<string, number | undefined>): Outcome {
  for (const [question, { method, hint }] of Object.entries(questions)) {
    const { trainable } = countParameters(bertBaseUncased, method, classes);
    const answer = given[question];
    if (answer === undefined) return missing(`"${question}" has no answer yet.`);
    if (answer !== trainable) {
      return missing(`"${question}": ${answer} is not what is counted. Think of this: ${hint}`);
    }
  }
  return solved("All five are what the code counts, without having run it.");
}

export const counts: Exercise = {
  title: "Predict how many parameters train",
  file: "docs/exercises/counts.ts",
  check: () => Promise.resolve(checkCounts(answers)),
};
