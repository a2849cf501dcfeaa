/**
 * Colours of runs: a hue for each method (web/styles/tokens.css), and lightness by size within it, so that the eye sees
 * methods first. Shapes and dashes say the same once more.
 */
import { type Html, markup } from "./html.ts";
import type { ShownRun } from "./model.ts";

/** How a run is drawn, the same in all charts of its comparison. */
export interface Look {
  colour: string;
  dash: string | undefined;
  symbol: "circle" | "square" | "diamond2" | "triangle" | "star";
  /** A class that the page's script finds it by. */
  className: string;
}

const symbols: Record<string, Look["symbol"]> = {
  full: "diamond2",
  lora: "circle",
  adapter: "square",
  ia3: "triangle",
};

const dashes = [undefined, "7,2", "2,2", "9,3,2,3"];

/** From the smallest run of a method to its largest; on white at least 3 to 1, and on the dark ground likewise. */
const lightness = { light: [0.66, 0.4], dark: [0.62, 0.87] };
/** Of runs that are the only ones of their method. */
const alone = { light: 0.5, dark: 0.75 };

const familyOf = ({ fields }: ShownRun) =>
  Object.hasOwn(symbols, fields.method) ? fields.method : "other";

/** Each run's place among those of its family, from 0 to 1, and its index there. */
function placeOf(run: ShownRun, runs: readonly ShownRun[]): { index: number; share?: number } {
  const siblings = runs.filter((other) => familyOf(other) === familyOf(run));
  const index = siblings.indexOf(run);
  return { index, share: siblings.length > 1 ? index / (siblings.length - 1) : undefined };
}

export function looksOf(runs: readonly ShownRun[]): Look[] {
  return runs.map((run, at) => ({
    colour: `var(--run-${at})`,
    dash: dashes[placeOf(run, runs).index % dashes.length],
    symbol: symbols[familyOf(run)] ?? "star",
    className: `run-${at}`,
  }));
}

/** The colours as CSS variables of the element that `selector` names. */
export function colourRules(selector: string, runs: readonly ShownRun[]): Html {
  const rules = (ground: "light" | "dark") =>
    runs.map((run, at) => {
      const { share } = placeOf(run, runs);
      const [from, to] = lightness[ground];
      const light = share === undefined ? alone[ground] : from + share * (to - from);
      return `--run-${at}:oklch(${light.toFixed(3)} var(--hue-${familyOf(run)}))`;
    }).join(";");
  return markup`<style>${selector}{${rules("light")}}
@media screen and (prefers-color-scheme:dark){${selector}{${rules("dark")}}}</style>`;
}
