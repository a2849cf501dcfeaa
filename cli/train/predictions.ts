/**
 * `predictions.jsonl`: what a run made of each sentence of the test part, one a line. It holds the user's texts, and stays
 * on this machine.
 */
import type { Example } from "../../models/data/clean.ts";
import type { Prediction } from "../../models/training/events.ts";

/** A text is cut to so many characters: its row says where the rest is. */
const longestText = 500;

/** By code points, so that no character is cut in two. */
function cut(text: string): string {
  if (text.length <= longestText) return text;
  const characters = [...text];
  return characters.length <= longestText ? text : `${characters.slice(0, longestText).join("")}…`;
}

/** The file's content: row in the data set, label, predicted label, the probabilities of both, and the text. */
export function predictionLines(
  examples: readonly Example[],
  predictions: readonly Prediction[],
  labels: readonly string[],
): string {
  return examples.map(({ text, label, row }, place) => {
    const { predicted, probability, confidence } = predictions[place];
    return `${
      JSON.stringify({
        row: row ?? null,
        label: labels[label],
        predicted: labels[predicted],
        probability,
        confidence,
        text: cut(text),
      })
    }\n`;
  }).join("");
}
