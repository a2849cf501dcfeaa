/** Methods over their seeds, how sure it is that they differ, and what they have to beat. */
import { type Html, markup } from "../html.ts";
import type { Comparison } from "../model.ts";
import { dataTable } from "../tables.ts";

const decimals = (value: number) => value.toFixed(4);
const between = ([low, high]: readonly [number, number]) => `${decimals(low)} to ${decimals(high)}`;
const spread = (mean: number, deviation: number | undefined) =>
  deviation === undefined ? decimals(mean) : `${decimals(mean)} ± ${decimals(deviation)}`;

function seedsTable({ methods }: Comparison): Html {
  if (methods.every(({ runs }) => runs.length === 1)) return markup``;
  const rows = methods.map((method) => [
    method.name,
    String(method.runs.length),
    spread(method.accuracy, method.accuracyDeviation),
    between(method.interval),
    spread(method.macroF1, method.macroF1Deviation),
    method.macroF1Interval ? between(method.macroF1Interval) : "–",
  ]);
  const columns = ["Method", "Seeds", "Accuracy", "95 % interval", "Macro F1", "95 % interval"]
    .map((title, index) => ({ title, right: index > 0 }));
  return markup`<h3>Over seeds</h3>${
    dataTable({ columns, rows }, "Methods over seeds")
  }<p class="hint">Means
    and standard deviations over seeds; intervals by the bootstrap, over test sentences and seeds.</p>`;
}

function pairsTable({ pairs }: Comparison): Html {
  if (pairs.length === 0) return markup``;
  const rows = pairs.map(({ first, second, difference, interval, p, toldApart }) => [
    first,
    second,
    decimals(difference),
    between(interval),
    p < 0.0001 ? "below 0.0001" : decimals(p),
    toldApart ? "told apart" : "not told apart",
  ]);
  const columns = [
    { title: "Better" },
    { title: "Than" },
    { title: "Macro F1", right: true },
    { title: "95 % interval", right: true },
    { title: "McNemar’s p", right: true },
    { title: "" },
  ];
  return markup`<details class="data"><summary>Pairs of methods, on the same sentences</summary>${
    dataTable({ columns, rows }, "Pairs of methods")
  }</details>`;
}

function baselinesTable({ baselines }: Comparison): Html {
  if (baselines.length === 0) return markup``;
  const rows = baselines.map(({ label, config, accuracy, macro_f1 }) => [
    `${label} (${config})`,
    decimals(accuracy),
    decimals(macro_f1),
  ]);
  const columns = [
    { title: "To be beaten" },
    { title: "Accuracy", right: true },
    { title: "Macro F1", right: true },
  ];
  return markup`<h3>Baselines</h3>${dataTable({ columns, rows }, "Baselines")}`;
}

export function methodsSection(comparison: Comparison): Html {
  return markup`${seedsTable(comparison)}${pairsTable(comparison)}${baselinesTable(comparison)}`;
}
