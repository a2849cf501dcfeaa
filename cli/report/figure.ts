/** A chart as an accessible SVG with the numbers behind it. */
import type { PlotOptions } from "@observablehq/plot";
import { Html, markup } from "./html.ts";
import { drawSvg } from "./svg.ts";
import { type DataTable, dataTable } from "./tables.ts";

export interface Chart {
  title: string;
  /** What is drawn, for those who do not see it. */
  description: string;
  /** A sentence below the title, for all. */
  hint?: string;
  plot: PlotOptions;
  data: DataTable;
  /** Keeps its own width, in a box that scrolls, where the screen is narrower. */
  scrolls?: boolean;
}

/** Widths of charts in their own units, which are pixels on a telephone. */
export const chartWidth = 340;

let figures = 0;

/** Ids begin anew, so that the same data make the same page. */
export function beginPage(): void {
  figures = 0;
}

/** Draws a chart. */
export function figure({ title, description, hint, plot, data, scrolls }: Chart): Html {
  const id = `figure-${++figures}`;
  const look = { width: chartWidth, marginRight: 16, ...plot, style: { background: "none" } };
  const drawing = new Html(drawSvg(look, { title, description, id }));
  return markup`<figure id="${id}">
<figcaption><strong>${title}</strong>${
    hint === undefined ? "" : markup`<span>${hint}</span>`
  }</figcaption>
${
    scrolls
      ? markup`<div class="scroll" tabindex="0" role="group" aria-label="${title}">${drawing}</div>`
      : drawing
  }
<details class="data"><summary>Numbers</summary>${dataTable(data, `${title} in numbers`)}</details>
</figure>`;
}

/** A text for a chart that is no longer than so many characters. */
export function shortened(text: string, length: number): string {
  const characters = [...text];
  return characters.length <= length ? text : `${characters.slice(0, length - 1).join("")}…`;
}

/** `300`, `1.5k`, `10k`, `1M`. */
export function formatTick(value: number): string {
  return value.toLocaleString("en-US", { notation: "compact" }).replace("K", "k");
}

/** Values for a logarithmic axis: powers of ten, or finer where there are less than three. */
export function logTicks(low: number, high: number): number[] {
  const first = Math.floor(Math.log10(low));
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high)) - first + 1 },
    (_, index) => 10 ** (first + index),
  );
  const within = (values: number[]) =>
    values.filter((value) => value >= low * 0.999 && value <= high * 1.001);
  const tries = [[1], [1, 3], [1, 2, 5]].map((factors) =>
    within(powers.flatMap((power) => factors.map((factor) => factor * power)))
  );
  return tries.find((ticks) => ticks.length >= 3) ?? tries[tries.length - 1];
}
