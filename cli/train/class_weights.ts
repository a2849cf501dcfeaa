/** `--class_weights`: the word, or what its file says. */
import { messageOf, UserError } from "../../models/errors.ts";
import { isObject } from "../../models/files/json.ts";
import type { ClassWeights } from "../../models/training/class_weights.ts";

const example = `{"anger": 2, "joy": 0.5}`;

/** What was given as class weights. Throws a UserError where it is a file that does not tell a number by label. */
export function readClassWeights(given: string): ClassWeights {
  if (given === "balanced") return given;
  const refused = (what: string, cause?: unknown) =>
    new UserError(
      `--class_weights ${given}: ${what}. It takes balanced, or a JSON file with a number for ` +
        `each label, such as ${example}.`,
      { cause },
    );
  let content: unknown;
  try {
    content = JSON.parse(Deno.readTextFileSync(given));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw refused("there is no such file", error);
    throw refused(messageOf(error).replace(/\.$/, ""), error);
  }
  if (!isObject(content)) throw refused("the file holds no object");
  const weights: Record<string, number> = {};
  for (const [label, weight] of Object.entries(content)) {
    if (typeof weight !== "number") {
      throw refused(`${JSON.stringify(label)} has ${JSON.stringify(weight)} for a number`);
    }
    weights[label] = weight;
  }
  return weights;
}
