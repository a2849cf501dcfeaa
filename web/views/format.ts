/** Numbers and errors as the page writes them. */
import {
  BindingTooLargeError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../../engine/errors.ts";
import { messageOf, UserError } from "../../models/errors.ts";
import { formatPercent } from "../../models/numbers.ts";

export { formatBytes as bytes } from "../../engine/bytes.ts";
export { formatCount as count, formatDuration as seconds } from "../../models/numbers.ts";

/** `0.6224`, or a dash where there is none. */
export const decimal = (value: number | undefined, places = 4): string =>
  value === undefined ? "–" : value.toFixed(places);

/** `12.4 %` */
export const percent = (part: number, whole: number): string =>
  formatPercent(100 * part / whole).replace(" ", "\u00a0");

/** What can be done about a mistake, in the page's words. */
function adviceFor(error: unknown): string | undefined {
  if (error instanceof OutOfMemoryError || error instanceof BindingTooLargeError) {
    return "Take a smaller batch or maximum length, or LoRA or an adapter instead of full.";
  }
  if (error instanceof DeviceLostError) {
    return "Reload the page; runs that were not downloaded are gone.";
  }
  if (error instanceof NoAdapterError) return "Reload the page.";
  if (!(error instanceof UserError)) return undefined;
  switch (error.remedy?.kind) {
    case "lowerLearningRate":
      return `Train at a learning rate below ${error.remedy.rate}.`;
    case "nameColumn":
    case "otherColumns":
      return "Give the columns the names text and label.";
    case "nameEncoding":
      return "Save the file as UTF-8.";
    default:
      return undefined;
  }
}

/** A sentence on what went wrong, and what to do. */
export function sentenceOf(error: unknown): string {
  const advice = adviceFor(error);
  return advice === undefined ? messageOf(error) : `${messageOf(error)} ${advice}`;
}
