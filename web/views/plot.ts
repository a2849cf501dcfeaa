/** Curves drawn by Observable Plot, which is loaded with the first of them. */
/// <reference lib="dom" />
import * as Plot from "@observablehq/plot";

export interface Series {
  name: string;
  colour: string;
  dash?: string;
  points: readonly { x: number; y: number }[];
  /** Whether each point is marked. */
  dots?: boolean;
}

/** So many points of a curve are drawn: each is the mean of as many. */
const mostPoints = 90;

export function binned(points: Series["points"]): { x: number; y: number }[] {
  const size = Math.ceil(points.length / mostPoints);
  const bins: { x: number; y: number }[] = [];
  for (let from = 0; from < points.length; from += size) {
    const bin = points.slice(from, from + size);
    bins.push({ x: bin.at(-1)!.x, y: bin.reduce((sum, { y }) => sum + y, 0) / bin.length });
  }
  return bins;
}

/** An image of the curves, which its caller names for those who do not see it. */
export function curves(
  series: readonly Series[],
  { width, longest, from }: { width: number; longest: number; from?: [number, number] },
): Element {
  const drawn = series.map((one) => ({ ...one, points: binned(one.points) }));
  const svg = Plot.plot({
    width,
    height: 220,
    marginBottom: 38,
    marginLeft: 44,
    marginRight: 16,
    className: "plot",
    style: { background: "none" },
    x: {
      label: "step",
      domain: [0, Math.max(longest, 1)],
      ticks: Math.min(5, Math.max(longest, 1)),
    },
    y: { label: null, grid: true, ticks: 5, nice: true, ...(from && { domain: from }) },
    marks: drawn.flatMap(({ points, colour, dash, dots, name }) => [
      Plot.line(points, { x: "x", y: "y", stroke: colour, strokeWidth: 2, strokeDasharray: dash }),
      Plot.dot(dots || points.length === 1 ? points : [], {
        x: "x",
        y: "y",
        r: 3.5,
        fill: colour,
        title: ({ x, y }: { x: number; y: number }) => `${name}, step ${x}: ${y.toFixed(4)}`,
      }),
    ]),
  });
  svg.setAttribute("aria-hidden", "true"); // the numbers below it are read out
  return svg;
}

/** Singular values, the largest first, of which those up to a rank are marked. */
export function spectrum(values: readonly number[], rank: number, width: number): Element {
  const points = values.map((value, index) => ({ at: index + 1, value }));
  const svg = Plot.plot({
    width,
    height: 210,
    marginBottom: 38,
    marginLeft: 52,
    className: "plot",
    style: { background: "none" },
    x: { label: "singular value", domain: [0.5, values.length + 0.5], ticks: 6, type: "linear" },
    y: { label: null, grid: true, ticks: 5, zero: true },
    marks: [
      Plot.rectY(points, {
        x1: ({ at }: { at: number }) => at - 0.45,
        x2: ({ at }: { at: number }) => at + 0.45,
        y: "value",
        fill: ({ at }: { at: number }) => at <= rank ? "var(--lora)" : "var(--edge)",
      }),
    ],
    color: { type: "identity" },
  });
  svg.setAttribute("aria-hidden", "true"); // the sentence above it says what it shows
  return svg;
}
