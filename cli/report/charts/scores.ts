/** What runs reach for what they train, and what learning rates were tried. */
import * as Plot from "@observablehq/plot";
import { formatCount, formatRate } from "../../shared/format.ts";
import type { Look } from "../colours.ts";
import { type Chart, formatTick, logTicks, shortened } from "../figure.ts";
import type { Comparison, Search, ShownRun } from "../model.ts";

interface Point {
  run: ShownRun;
  look: Look;
  trainable: number;
  score: number;
  interval?: readonly [number, number];
}

/** Points that no other reaches with as few parameters, from the smallest on. */
export function paretoFront<Each extends { trainable: number; score: number }>(
  points: readonly Each[],
): Each[] {
  const front: Each[] = [];
  const sorted = points.toSorted((a, b) => a.trainable - b.trainable || b.score - a.score);
  for (const point of sorted) {
    if (front.length === 0 || point.score > front[front.length - 1].score) front.push(point);
  }
  return front;
}

function scoreDomain(points: readonly Point[], baseline: number | undefined): [number, number] {
  const ends = points.flatMap(({ score, interval }) => [score, ...interval ?? []]);
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  const room = Math.max(0.02, (high - low) * 0.1);
  const near = baseline !== undefined && baseline > low - (high - low) * 0.5;
  return [Math.max(0, Math.min(low, near ? baseline : low) - room), Math.min(1, high + room)];
}

const decimals = (value: number) => value.toFixed(4);

function tradeOff(what: string, points: readonly Point[], baseline: number | undefined): Chart {
  const front = paretoFront(points);
  const sizes = points.map(({ trainable }) => Math.max(1, trainable));
  const [least, most] = [Math.min(...sizes) / 1.8, Math.max(...sizes) * 1.8];
  const domain = scoreDomain(points, baseline);
  const middle = Math.sqrt(least * most);
  const x = ({ trainable }: Point) => Math.max(1, trainable);
  const title = ({ run, trainable, score, interval }: Point) =>
    `${run.name}: ${what.toLowerCase()} ${decimals(score)}` +
    (interval ? ` (${decimals(interval[0])} to ${decimals(interval[1])})` : "") +
    `, ${formatCount(trainable)} parameters`;
  const label = (right: boolean) =>
    Plot.text(front.filter((point) => x(point) > middle === right), {
      x,
      y: "score",
      text: ({ run }: Point) => shortened(run.name, 22),
      dx: right ? -9 : 9,
      dy: -7,
      textAnchor: right ? "end" : "start",
      fontWeight: 600,
      fill: "currentColor",
      stroke: "var(--surface)",
      strokeWidth: 4,
    });
  const shown = baseline !== undefined && baseline > domain[0] ? [baseline] : [];
  return {
    title: `${what} by trainable parameters`,
    hint:
      "Bars are 95\u00a0% intervals; the line joins runs that none reaches with fewer parameters.",
    description:
      `${what} of ${points.length} runs against trainable parameters on a logarithmic axis. On the Pareto front: ${
        front.map(({ run, score }) => `${run.name} (${decimals(score)})`).join(", ")
      }.`,
    plot: {
      height: 250,
      marginLeft: 44,
      marginBottom: 40,
      marginTop: 16,
      x: {
        type: "log",
        domain: [least, most],
        ticks: logTicks(least, most),
        tickFormat: formatTick,
        label: "trainable parameters",
        labelAnchor: "right",
      },
      y: { domain, grid: true, label: null, ticks: 6 },
      marks: [
        Plot.ruleY(shown, { stroke: "currentColor", strokeOpacity: 0.5, strokeDasharray: "2,3" }),
        Plot.text(shown, {
          y: (value: number) => value,
          frameAnchor: "right",
          text: () => "most frequent label",
          textAnchor: "end",
          dy: -8,
          fillOpacity: 0.7,
        }),
        Plot.line(front, {
          x,
          y: "score",
          curve: "step-after",
          stroke: "currentColor",
          strokeOpacity: 0.35,
        }),
        label(false),
        label(true),
        ...points.flatMap((point) => [
          Plot.ruleX(point.interval ? [point] : [], {
            x,
            y1: () => point.interval?.[0],
            y2: () => point.interval?.[1],
            stroke: point.look.colour,
            strokeWidth: 1.5,
            strokeOpacity: 0.7,
            className: point.look.className,
          }),
          Plot.dot([point], {
            x,
            y: "score",
            r: 4.5,
            symbol: point.look.symbol,
            fill: point.look.colour,
            title,
            className: point.look.className,
          }),
        ]),
      ],
    },
    data: {
      columns: [
        { title: "Run" },
        { title: "Trainable", right: true },
        { title: what, right: true },
        { title: "From", right: true },
        { title: "To", right: true },
        { title: "Front" },
      ],
      rows: points.map((point) => [
        point.run.name,
        formatCount(point.trainable),
        decimals(point.score),
        point.interval && decimals(point.interval[0]),
        point.interval && decimals(point.interval[1]),
        front.includes(point) ? "yes" : "",
      ]),
    },
  };
}

/** Accuracy and macro F1 of a comparison's runs against what they train. */
export function scoreCharts({ runs, baseline }: Comparison, looks: readonly Look[]): Chart[] {
  const points = (score: (run: ShownRun) => [number, Point["interval"]]) =>
    runs.map((run, index): Point => {
      const [value, interval] = score(run);
      const trainable = run.fields.trainable_params;
      return { run, look: looks[index], trainable, score: value, interval };
    });
  const accuracies = points(({ fields: { test } }) => [test.accuracy, test.accuracy_interval_95]);
  const scores = points((
    { fields: { test }, macroF1Interval },
  ) => [test.macro_f1, macroF1Interval]);
  return [tradeOff("Accuracy", accuracies, baseline), tradeOff("Macro F1", scores, undefined)];
}

/** The learning rates that were tried for a method, a line for each number of steps. */
export function searchChart({ method, trials }: Search): Chart {
  const rates = trials.map(({ learning_rate }) => learning_rate);
  const [least, most] = [Math.min(...rates) / 1.5, Math.max(...rates) * 1.5];
  const budgets = [...new Set(trials.map(({ steps }) => steps))]
    .sort((a, b) => a - b);
  const [best] = trials.toSorted((a, b) =>
    b.steps - a.steps || b.macro_f1 - a.macro_f1 || a.learning_rate - b.learning_rate
  );
  const sorted = trials.toSorted((a, b) => a.learning_rate - b.learning_rate);
  const strength = (budget: number) => 0.35 + 0.65 * (budgets.indexOf(budget) + 1) / budgets.length;
  return {
    title: `Learning rates tried: ${method}`,
    hint: budgets.length > 1
      ? `Stronger lines are of more steps: ${budgets.map(formatCount).join(", ")}.`
      : `After ${formatCount(budgets[0])} steps.`,
    description: `Validation macro F1 of ${trials.length} trials by learning rate. The best with ${
      formatCount(best.steps)
    } steps is ${formatRate(best.learning_rate)}, ${decimals(best.macro_f1)}.`,
    plot: {
      height: 210,
      marginLeft: 44,
      marginBottom: 40,
      marginTop: 20,
      x: {
        type: "log",
        domain: [least, most],
        ticks: logTicks(least, most),
        tickFormat: formatRate,
        label: "learning rate",
        labelAnchor: "right",
      },
      y: { grid: true, label: null, ticks: 5, nice: true },
      marks: [
        ...budgets.flatMap((budget) => {
          const line = sorted.filter(({ steps }) => steps === budget);
          const at = { x: "learning_rate", y: "macro_f1" };
          return [
            Plot.line(line, {
              ...at,
              stroke: "var(--accent)",
              strokeOpacity: strength(budget),
              strokeWidth: 2,
            }),
            Plot.dot(line, {
              ...at,
              r: 3,
              fill: "var(--accent)",
              fillOpacity: strength(budget),
              title: (trial: typeof best) =>
                `${formatRate(trial.learning_rate)} after ${formatCount(budget)} steps: ${
                  decimals(trial.macro_f1)
                }`,
            }),
          ];
        }),
        Plot.text([best], {
          x: "learning_rate",
          y: "macro_f1",
          text: () => formatRate(best.learning_rate),
          dy: -10,
          fontWeight: 600,
          fill: "currentColor",
          stroke: "var(--surface)",
          strokeWidth: 4,
        }),
      ],
    },
    data: {
      columns: [
        { title: "Learning rate", right: true },
        { title: "Steps", right: true },
        { title: "Macro F1", right: true },
      ],
      rows: sorted.map(({ learning_rate, steps, macro_f1 }) => [
        formatRate(learning_rate),
        formatCount(steps),
        decimals(macro_f1),
      ]),
    },
  };
}
