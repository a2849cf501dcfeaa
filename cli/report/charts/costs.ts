/** What runs cost: time, memory and size as bars. */
import * as Plot from "@observablehq/plot";
import { formatBytes, formatDuration } from "../../shared/format.ts";
import type { Look } from "../colours.ts";
import { type Chart, shortened } from "../figure.ts";
import type { ShownRun } from "../model.ts";

interface Bar {
  run: ShownRun;
  look: Look;
  value: number;
}

/** Pixels for a bar and the name above it. */
const barHeight = 34;

/** Bars of values that some runs have, or undefined where none has. */
function barChart(
  title: string,
  hint: string,
  bars: readonly Bar[],
  format: (value: number) => string,
): Chart | undefined {
  if (bars.length === 0) return undefined;
  const most = Math.max(...bars.map(({ value }) => value), Number.MIN_VALUE);
  const y = ({ run }: Bar) => run.name;
  return {
    title,
    hint,
    description: `${title}: ${
      bars.map(({ run, value }) => `${run.name} ${format(value)}`).join(", ")
    }.`,
    plot: {
      height: bars.length * barHeight + 8,
      marginLeft: 2,
      marginRight: 2,
      marginTop: 4,
      marginBottom: 4,
      x: { axis: null, domain: [0, most] },
      y: { axis: null, domain: bars.map(y), padding: 0 },
      marks: bars.flatMap((bar) => [
        Plot.barX([bar], {
          x: "value",
          y,
          insetTop: 19,
          insetBottom: 5,
          rx: 2,
          fill: bar.look.colour,
          className: bar.look.className,
        }),
        Plot.text([bar], {
          y,
          frameAnchor: "left",
          textAnchor: "start",
          dy: -7,
          text: () => shortened(bar.run.name, 34),
        }),
        Plot.text([bar], {
          y,
          frameAnchor: "right",
          textAnchor: "end",
          dy: -7,
          text: () => format(bar.value),
          fontVariant: "tabular-nums",
          fontWeight: 600,
        }),
      ]),
    },
    data: {
      columns: [{ title: "Run" }, { title, right: true }],
      rows: bars.map(({ run, value }) => [run.name, format(value)]),
    },
  };
}

/** Time, memory and size, as far as the runs' files tell them. */
export function costCharts(runs: readonly ShownRun[], looks: readonly Look[]): Chart[] {
  const bars = (value: (fields: ShownRun["fields"]) => number | undefined) =>
    runs.flatMap((run, index): Bar[] => {
      const found = value(run.fields);
      return found === undefined ? [] : [{ run, look: looks[index], value: found }];
    });
  const charts = [
    barChart(
      "Training time",
      "Training steps alone, without evaluation.",
      bars(({ training_seconds }) => training_seconds),
      formatDuration,
    ),
    barChart(
      "GPU memory",
      "The most that was held at once.",
      bars(({ peak_gpu_bytes }) => peak_gpu_bytes),
      formatBytes,
    ),
    barChart(
      "Size on disk",
      "The files of the trained weights.",
      bars(({ exported_bytes }) => exported_bytes),
      formatBytes,
    ),
  ];
  return charts.filter((chart) => chart !== undefined);
}
