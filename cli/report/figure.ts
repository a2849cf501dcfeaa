/** A chart as an accessible SVG with the numbers behind it. */
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom/worker";
import { Html, markup, wellFormed } from "./html.ts";
import { type DataTable, dataTable } from "./tables.ts";

/** A document without a browser: Plot makes its elements of it. */
const { document } = parseHTML("<html><body></body></html>") as unknown as {
  document: { createElementNS(space: string, tag: string): { id: string; textContent: string } };
};

export interface Chart {
  title: string;
  /** What is drawn, for those who do not see it. */
  description: string;
  /** A sentence below the title, for all. */
  hint?: string;
  plot: Plot.PlotOptions;
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
  const svg = Plot.plot({
    width: chartWidth,
    marginRight: 16,
    ...plot,
    className: "plot",
    style: { background: "none" },
    document,
  } as Plot.PlotOptions);
  svg.querySelector("style")?.remove(); // the page's own says the same
  // Plot names its marks for scripts; within an image they are not read out.
  for (const group of svg.querySelectorAll("g[aria-label]")) group.removeAttribute("aria-label");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-labelledby", `${id}-title ${id}-desc`);
  const named = (tag: string, text: string) => {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    element.id = `${id}-${tag}`;
    element.textContent = text;
    return element;
  };
  svg.prepend(named("title", title), named("desc", description));
  const drawing = new Html(wellFormed(svg.outerHTML));
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
