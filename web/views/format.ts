/** Numbers and errors as the page writes them. */
import {
  BindingTooLargeError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../../engine/errors.ts";
import { messageOf, UserError } from "../../models/errors.ts";

/** `1,645,325` */
export const count = (value: number): string => value.toLocaleString("en-US");

/** `14 MB` */
export function bytes(value: number): string {
  const units = ["bytes", "kB", "MB", "GB"];
  const power = Math.min(3, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  const scaled = value / 1000 ** power;
  return `${scaled < 10 && power > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${units[power]}`;
}

/** `0.6224`, or a dash where there is none. */
export const decimal = (value: number | undefined, places = 4): string =>
  value === undefined ? "–" : value.toFixed(places);

/** `34 s`, `2 min 5 s` */
export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export const percent = (part: number, whole: number): string =>
  `${(100 * part / whole).toFixed(part / whole < 0.1 ? 2 : 0)} %`;

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
