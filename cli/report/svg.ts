/** Charts of Observable Plot as SVG, without a browser. */
/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom/worker";
import { wellFormed } from "./html.ts";

/** A document without a browser: Plot makes its elements of it. */
const { document } = parseHTML("<html><body></body></html>") as unknown as {
  document: { createElementNS(space: string, tag: string): SVGElement };
};

/** What an image is called for those who do not see it. */
export interface Naming {
  title: string;
  description: string;
  /** Unlike any other on the page. */
  id: string;
}

/** Draws a plot as an `<svg>` that is read out as one image. */
export function drawSvg(plot: Plot.PlotOptions, { title, description, id }: Naming): string {
  const svg = Plot.plot(
    { ...plot, className: "plot", document } as Plot.PlotOptions,
  );
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
  return wellFormed(svg.outerHTML);
}
