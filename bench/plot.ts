/** An SVG of how a step's cost grows with batch and sentence length; log scales on both axes. */
import { axisTicks, logScale } from "./scale.ts";
import type { StepResult, StepRow } from "./schema.ts";

/** Okabe and Ito's colours, told apart by everyone; dark enough on white. */
const colours: Record<string, string> = { full: "#0072b2", lora: "#d55e00", adapter: "#009e73" };
const names: Record<string, string> = { full: "full", lora: "LoRA 8", adapter: "adapter 64" };

const panel = { width: 360, height: 260 };
const margin = { top: 92, right: 84, bottom: 62, left: 74, between: 164, rows: 96 };

interface Series {
  method: string;
  points: { x: number; milliseconds: number }[];
}

interface Panel {
  title: string;
  xLabel: string;
  series: Series[];
}

/** The plot of a result: a row of two panels for each model that has enough points. */
export function stepPlot({ adapter, machine, results }: StepResult): string {
  const models = [...new Set(results.map(({ model }) => model))]
    .map((model) => panelsOf(model, results.filter((row) => row.model === model)))
    .filter((panels) => panels.length > 0);
  const width = margin.left + 2 * panel.width + margin.between + margin.right;
  const height = margin.top + models.length * panel.height + (models.length - 1) * margin.rows +
    margin.bottom;
  const body = models.flatMap((panels, row) =>
    panels.map((each, column) =>
      drawPanel(
        each,
        margin.left + column * (panel.width + margin.between),
        margin.top + row * (panel.height + margin.rows),
      )
    )
  );
  const heading = "Milliseconds of a training step";
  const machineLine = adapter.software
    ? `${adapter.description}, ${machine.cores} cores of ${machine.processor}`
    : adapter.description;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" fill="#222">
<title>${heading}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
<text x="${margin.left}" y="28" font-size="18" font-weight="600">${heading}</text>
<text x="${margin.left}" y="50" fill="#555">${escape(machineLine)}</text>
${body.join("\n")}
</svg>
`;
}

/** Cost over batch at one length, and over length at one batch: those with the most points. */
function panelsOf(model: string, rows: StepRow[]): Panel[] {
  const numeric = rows.flatMap(({ method, batch, length, milliseconds }) =>
    typeof length === "number" ? [{ method, batch, length, milliseconds }] : []
  );
  const panels: Panel[] = [];
  for (const [axis, other] of [["batch", "length"], ["length", "batch"]] as const) {
    const fixed = mostCommon(numeric.map((row) => row[other]));
    const chosen = numeric.filter((row) => row[other] === fixed);
    if (new Set(chosen.map((row) => row[axis])).size < 2) continue;
    const methods = [...new Set(chosen.map(({ method }) => method))];
    panels.push({
      title: axis === "batch" ? `${model}, ${fixed} tokens a sentence` : `${model}, batch ${fixed}`,
      xLabel: axis === "batch" ? "sentences a batch" : "tokens a sentence",
      series: methods.map((method) => ({
        method,
        points: chosen.filter((row) => row.method === method)
          .map((row) => ({ x: row[axis], milliseconds: row.milliseconds }))
          .sort((a, b) => a.x - b.x),
      })),
    });
  }
  return panels;
}

/** The value that occurs most often; of several the smallest. */
function mostCommon(values: number[]): number {
  const count = (value: number) => values.filter((each) => each === value).length;
  return [...new Set(values)].sort((a, b) => count(b) - count(a) || a - b)[0];
}

function drawPanel({ title, xLabel, series }: Panel, left: number, top: number): string {
  const points = series.flatMap((each) => each.points);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ys = points.map(({ milliseconds }) => milliseconds);
  const ticks = axisTicks(Math.min(...ys), Math.max(...ys));
  const bottom = top + panel.height;
  const x = logScale([xs[0], xs[xs.length - 1]], [left + 12, left + panel.width - 12]);
  const y = logScale([ticks[0], ticks[ticks.length - 1]], [bottom, top]);
  const grid = ticks.map((tick) =>
    `<line x1="${left}" x2="${left + panel.width}" y1="${round(y(tick))}" y2="${
      round(y(tick))
    }" stroke="#ddd"/>` +
    `<text x="${left - 8}" y="${round(y(tick) + 4)}" text-anchor="end">${formatTick(tick)}</text>`
  );
  const marks = xs.map((value) =>
    `<line x1="${round(x(value))}" x2="${round(x(value))}" y1="${bottom}" y2="${
      bottom + 5
    }" stroke="#222"/>` +
    `<text x="${round(x(value))}" y="${bottom + 20}" text-anchor="middle">${value}</text>`
  );
  const ends = spread(
    series.map(({ points }) => y(points[points.length - 1].milliseconds)),
    16,
  );
  const lines = series.map(({ method, points }, index) => {
    const colour = colours[method] ?? "#555";
    const path = points.map((point) => `${round(x(point.x))},${round(y(point.milliseconds))}`);
    const dots = path.map((at) => {
      const [cx, cy] = at.split(",");
      return `<circle cx="${cx}" cy="${cy}" r="3.5" fill="${colour}"/>`;
    });
    const label =
      `<text x="${left + panel.width + 4}" y="${round(ends[index] + 4)}" fill="${colour}" ` +
      `font-weight="600">${escape(names[method] ?? method)}</text>`;
    return `<polyline points="${
      path.join(" ")
    }" fill="none" stroke="${colour}" stroke-width="2"/>` +
      dots.join("") + label;
  });
  return [
    `<text x="${left}" y="${top - 14}" font-weight="600">${escape(title)}</text>`,
    ...grid,
    `<line x1="${left}" x2="${left + panel.width}" y1="${bottom}" y2="${bottom}" stroke="#222"/>`,
    ...marks,
    `<text x="${left + panel.width / 2}" y="${
      bottom + 42
    }" text-anchor="middle" fill="#555">${xLabel}</text>`,
    `<text transform="translate(${left - 56} ${
      top + panel.height / 2
    }) rotate(-90)" text-anchor="middle" fill="#555">ms a step</text>`,
    ...lines,
  ].join("\n");
}

/** Moves labels apart where they would lie over one another; their order stays. */
export function spread(positions: readonly number[], distance: number): number[] {
  const order = positions.map((_, index) => index).sort((a, b) => positions[a] - positions[b]);
  const moved = [...positions];
  for (let i = 1; i < order.length; i++) {
    moved[order[i]] = Math.max(moved[order[i]], moved[order[i - 1]] + distance);
  }
  return moved;
}

function formatTick(value: number): string {
  return value.toLocaleString("en-US", { maximumFractionDigits: 3 });
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
