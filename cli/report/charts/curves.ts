/** How runs went: training's loss by step, and what each validation found. */
import * as Plot from "@observablehq/plot";
import { formatCount } from "../../shared/format.ts";
import type { Look } from "../colours.ts";
import { type Chart, formatTick } from "../figure.ts";
import type { ShownRun } from "../model.ts";
import type { Step } from "../schema.ts";

interface Point {
  step: number;
  value: number;
}

/** So many points of a curve are drawn: each is the mean of as many steps. */
const mostPoints = 80;

/** Means of steps that follow one another, each at its last step. */
export function binned(steps: readonly Step[], most = mostPoints): Point[] {
  const size = Math.ceil(steps.length / most);
  const points: Point[] = [];
  for (let from = 0; from < steps.length; from += size) {
    const bin = steps.slice(from, from + size);
    const value = bin.reduce((sum, { loss }) => sum + loss, 0) / bin.length;
    points.push({ step: bin[bin.length - 1].step, value });
  }
  return points;
}

interface Curve {
  run: ShownRun;
  look: Look;
  points: Point[];
}

const decimals = (value: number) => value.toFixed(4);

/** The values' range, with room where all are the same. */
function domainOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const room = low === high ? Math.max(Math.abs(low) * 0.1, 0.01) : 0;
  return [low - room, high + room];
}

function curvesChart(
  title: string,
  hint: string | undefined,
  curves: readonly Curve[],
  dots: boolean,
): Chart {
  const ends = curves.map(({ run, points }) =>
    `${run.name} from ${decimals(points[0].value)} to ${decimals(points[points.length - 1].value)}`
  );
  const values = curves.flatMap(({ points }) => points.map(({ value }) => value));
  return {
    title,
    hint,
    description: `${title} by step: ${ends.join("; ")}.`,
    plot: {
      height: 210,
      marginLeft: 44,
      marginBottom: 40,
      marginTop: 12,
      x: {
        label: "step",
        labelAnchor: "right",
        ticks: 5,
        tickFormat: formatTick,
        domain: [0, Math.max(...curves.flatMap(({ points }) => points.map(({ step }) => step)))],
      },
      y: { domain: domainOf(values), grid: true, label: null, ticks: 5, nice: true },
      marks: curves.flatMap(({ run, look, points }) => [
        Plot.line(points, {
          x: "step",
          y: "value",
          stroke: look.colour,
          strokeWidth: 1.75,
          strokeDasharray: look.dash,
          className: look.className,
        }),
        Plot.dot(dots ? points : [], {
          x: "step",
          y: "value",
          r: 3,
          symbol: look.symbol,
          fill: look.colour,
          title: ({ step, value }: Point) =>
            `${run.name}, step ${formatCount(step)}: ${decimals(value)}`,
          className: look.className,
        }),
      ]),
    },
    data: {
      columns: [{ title: "Run" }, { title: "Step", right: true }, { title, right: true }],
      rows: curves.flatMap(({ run, points }) =>
        points.map(({ step, value }) => [run.name, formatCount(step), decimals(value)])
      ),
    },
  };
}

/** The curves for which the runs' files have values. */
export function curveCharts(runs: readonly ShownRun[], looks: readonly Look[]): Chart[] {
  const curves = (points: (run: ShownRun) => Point[]) =>
    runs.map((run, index): Curve => ({ run, look: looks[index], points: points(run) }))
      .filter(({ points }) => points.length > 0);
  type Validation = ShownRun["fields"]["validation"][number];
  const validations = (value: (metrics: Validation) => number | undefined) =>
    curves(({ fields }) =>
      fields.validation.flatMap((metrics, index) => {
        // Older files have no steps: a validation came after each epoch.
        const step = fields.validation_steps[index] ??
          (index + 1) * (fields.total_steps ?? fields.validation.length) / fields.validation.length;
        const found = value(metrics);
        return found === undefined ? [] : [{ step, value: found }];
      })
    );
  const longest = Math.max(0, ...runs.map(({ steps }) => steps.length));
  const each = Math.ceil(longest / mostPoints);
  const hint = each > 1 ? `Each point is the mean of up to ${formatCount(each)} steps.` : undefined;
  const charts: [string, string | undefined, Curve[], boolean][] = [
    ["Training loss", hint, curves(({ steps }) => binned(steps)), false],
    ["Validation loss", undefined, validations(({ loss }) => loss), true],
    ["Validation macro F1", undefined, validations(({ macro_f1 }) => macro_f1), true],
    ["Validation accuracy", undefined, validations(({ accuracy }) => accuracy), true],
  ];
  return charts.filter(([, , found]) => found.length > 0).map((chart) => curvesChart(...chart));
}
