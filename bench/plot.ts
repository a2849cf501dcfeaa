/** An SVG of how a step's cost grows with batch and sentence length; log scales on both axes. */
import * as Plot from "@observablehq/plot";
import { logTicks } from "../cli/report/figure.ts";
import { escapeHtml } from "../cli/report/html.ts";
import { drawSvg } from "../cli/report/svg.ts";
import type { StepResult, StepRow } from "./schema.ts";

/** Okabe and Ito's colours, told apart by everyone; dark enough on white. */
const looks: Record<string, { name: string; colour: string }> = {
  full: { name: "full", colour: "#0072b2" },
  lora: { name: "LoRA 8", colour: "#d55e00" },
  adapter: { name: "adapter 64", colour: "#009e73" },
};

const panel = { width: 500, height: 360 };
const heading = { text: "Milliseconds of a training step", height: 64 };

interface Panel {
  title: string;
  axis: "batch" | "length";
  rows: (StepRow & { length: number })[];
}

/** The plot of a result: a row of two panels for each model that has enough points. */
export function stepPlot({ adapter, machine, results }: StepResult): string {
  const models = [...new Set(results.map(({ model }) => model))]
    .map((model) => panelsOf(model, results.filter((row) => row.model === model)))
    .filter((panels) => panels.length > 0);
  const width = 2 * panel.width;
  const height = heading.height + models.length * panel.height;
  const body = models.flatMap((panels, row) =>
    panels.map((each, column) => {
      const [x, y] = [column * panel.width, heading.height + row * panel.height];
      return `<g transform="translate(${x} ${y})">${drawPanel(each, `p${row}-${column}`)}</g>`;
    })
  );
  const machineLine = adapter.software
    ? `${adapter.description}, ${machine.cores} cores of ${machine.processor}`
    : adapter.description;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="#222">
<title>${heading.text}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="20" y="28" font-size="18" font-weight="600">${heading.text}</text>
<text x="20" y="50" fill="#555">${escapeHtml(machineLine)}</text>
${body.join("\n")}
</svg>
`;
}

/** Cost over batch at one length, and over length at one batch: those with the most points. */
function panelsOf(model: string, rows: readonly StepRow[]): Panel[] {
  const numeric = rows.filter((row): row is StepRow & { length: number } =>
    typeof row.length === "number"
  );
  return ([["batch", "length"], ["length", "batch"]] as const).flatMap(([axis, other]) => {
    const fixed = mostCommon(numeric.map((row) => row[other]));
    const chosen = numeric.filter((row) => row[other] === fixed);
    if (new Set(chosen.map((row) => row[axis])).size < 2) return [];
    const where = axis === "batch" ? `${fixed} tokens a sentence` : `batch ${fixed}`;
    return [{ title: `${model}, ${where}`, axis, rows: chosen }];
  });
}

/** The value that occurs most often; of several the smallest. */
function mostCommon(values: readonly number[]): number {
  const count = (value: number) => values.filter((each) => each === value).length;
  return [...new Set(values)].sort((a, b) => count(b) - count(a) || a - b)[0];
}

function drawPanel({ title, axis, rows }: Panel, id: string): string {
  const times = rows.map(({ milliseconds }) => milliseconds);
  const domain = [Math.min(...times) / 1.15, Math.max(...times) * 1.15];
  const methods = [...new Set(rows.map(({ method }) => method))];
  const nameOf = (method: string) => looks[method]?.name ?? method;
  const xLabel = axis === "batch" ? "sentences a batch" : "tokens a sentence";
  const marks = { x: axis, y: "milliseconds", stroke: "method" } as const;
  const plot: Plot.PlotOptions = {
    ...panel,
    marginTop: 56,
    marginLeft: 70,
    marginRight: 24,
    marginBottom: 52,
    style: { fontSize: "13px", background: "none" },
    x: {
      type: "log",
      base: 2, // of ten, 8 and 64 would have no names
      ticks: [...new Set(rows.map((row) => row[axis]))],
      tickFormat: String,
      label: xLabel,
      labelAnchor: "center",
      labelArrow: "none",
      inset: 12,
    },
    y: {
      type: "log",
      domain,
      ticks: logTicks(domain[0], domain[1]),
      tickFormat: (value: number) => value.toLocaleString("en-US", { maximumFractionDigits: 3 }),
      grid: true,
      label: "ms a step",
      labelAnchor: "center",
      labelArrow: "none",
    },
    color: { domain: methods, range: methods.map((method) => looks[method]?.colour ?? "#555") },
    marks: [
      Plot.lineY(rows, { ...marks, sort: axis, strokeWidth: 2 }),
      Plot.dot(rows, { ...marks, fill: "method", r: 3.5 }),
      // Names in a row above: at the lines' ends they lie over one another where methods cost the same.
      ...methods.map((method, index) =>
        Plot.text([nameOf(method)], {
          frameAnchor: "top-left",
          text: (name: string) => name,
          dx: index * 96,
          dy: -16,
          fill: looks[method]?.colour ?? "#555",
          fontWeight: 600,
        })
      ),
      Plot.text([title], {
        frameAnchor: "top-left",
        text: (text: string) => text,
        dy: -38,
        fill: "#222",
        fontWeight: 600,
      }),
    ],
  };
  const costs = rows.map((row) => `${nameOf(row.method)} ${row[axis]}: ${row.milliseconds} ms`);
  return drawSvg(plot, { title, description: `By ${xLabel}. ${costs.join(", ")}.`, id });
}
