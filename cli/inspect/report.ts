/** What an inspection found, as lines for a terminal and as a JSON document. */
import { listed } from "../../models/errors.ts";
import { groupTensors, totalsOf } from "../../models/files/tensor_groups.ts";
import { countOf, formatBytes, formatCount } from "../shared/format.ts";
import { type Found, kinds } from "./found.ts";
import type { Weights } from "./weights.ts";
import { type Column, renderTable, widest } from "../shared/table.ts";
import { harmless, wrap } from "../shared/terminal.ts";

/** Where a terminal is narrower its lines break. */
const leastWidth = 40;

/** `hidden_size` → `Hidden size`, `macro_f1` → `Macro F1`. */
function titleOf(name: string): string {
  const words = name.replaceAll("_", " ").replace(/^lora\b/, "LoRA").replace(/^peft\b/, "PEFT")
    .replace(/\bf1$/, "F1");
  return `${words[0].toUpperCase()}${words.slice(1)}`;
}

function valueText(value: string | number | string[]): string {
  if (typeof value === "number") {
    return Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(6)));
  }
  if (typeof value === "string") return value;
  return listed(value, 20);
}

/** Names on the left, values on the right, broken at spaces. */
function factLines(facts: [string, string][], width: number): string[] {
  const left = widest(facts.map(([name]) => name)) + 2;
  return facts.flatMap(([name, value]) =>
    wrap(value, Math.max(20, width - left)).map((line, index) =>
      `${(index === 0 ? name : "").padEnd(left)}${line}`
    )
  );
}

const tensorColumns: Column[] = [
  { title: "Tensor", shrinks: true },
  { title: "Count", right: true },
  { title: "Type" },
  { title: "Shape" },
  { title: "Bytes", right: true },
];

/** The rows of a table with names that leave room for the other columns: the rest stands below, from a dot on. */
function withNamesBroken(columns: Column[], rows: string[][], width: number): string[][] {
  const others = columns.slice(1).map(({ title }, index) =>
    2 + Math.max(title.length, ...rows.map((row) => row[index + 1].length))
  );
  const room = Math.max(16, width - others.reduce((sum, each) => sum + each, 0));
  return rows.flatMap(([name, ...values]) => {
    const lines: string[] = [];
    for (let rest = name; rest !== "";) {
      const dot = rest.length <= room ? -1 : rest.lastIndexOf(".", room);
      const end = rest.length <= room ? rest.length : dot > 2 ? dot : room;
      lines.push(rest.slice(0, end));
      rest = end < rest.length ? `  ${rest.slice(end)}` : "";
    }
    return lines.map((line, index) => [line, ...(index === 0 ? values : values.map(() => ""))]);
  });
}

function weightsLines(weights: Weights, all: boolean, width: number): string[] {
  const { file, shards, metadata, tensors } = weights;
  const totals = totalsOf(tensors);
  const types = [...new Set(tensors.map(({ dtype }) => dtype))].join(", ");
  const facts: [string, string][] = [
    [
      "File",
      shards === undefined ? file : `${file}, ${countOf(shards, "file")}`,
    ],
    ["Tensors", `${formatCount(totals.tensors)}${types === "" ? "" : `, ${types}`}`],
    ["Values", formatCount(totals.values)],
    ["Bytes", `${formatCount(totals.bytes)} (${formatBytes(totals.bytes)})`],
    ...Object.entries(metadata).map(([key, value]): [string, string] => [
      "Metadata",
      `${key}: ${value.length > 200 ? `${value.slice(0, 200)}…` : value}`,
    ]),
  ];
  const single = (tensor: Weights["tensors"][number]) => ({ ...tensor, count: 1 });
  const rows = all ? tensors.map(single) : groupTensors(tensors);
  const grouped = rows.length < tensors.length;
  const cells = rows.map(({ name, count, dtype, shape, byteLength }) => [
    name,
    formatCount(count),
    dtype,
    `[${shape.join(", ")}]`,
    formatCount(byteLength),
  ]);
  const kept = (_: unknown, index: number) => grouped || index !== 1;
  const columns = tensorColumns.filter(kept);
  const table = renderTable(
    columns,
    withNamesBroken(columns, cells.map((row) => row.map(harmless).filter(kept)), width),
    width,
  );
  return ["", ...factLines(facts, width), ...(tensors.length > 0 ? ["", ...table] : [])];
}

function runLines(runs: NonNullable<Found["runs"]>, width: number): string[] {
  const columns: Column[] = [
    { title: "Run", shrinks: true },
    { title: "Method" },
    { title: "Accuracy", right: true },
    { title: "F1 Score", right: true },
    { title: "Trainable", right: true },
  ];
  const rows = runs.map(({ run, method, accuracy, macro_f1, trainable }) => [
    run,
    method,
    accuracy?.toFixed(4) ?? "?",
    macro_f1?.toFixed(4) ?? "?",
    trainable === undefined ? "?" : formatCount(trainable),
  ]);
  return ["", ...renderTable(columns, rows, width)];
}

/** The lines of an inspection, as wide as the terminal as far as commands and paths allow. */
export function reportLines(found: Found, all: boolean, columns: number): string[] {
  const width = Math.max(leastWidth, columns);
  const details = Object.entries(found.details).flatMap(([name, value]): [string, string][] =>
    value === undefined ? [] : [[titleOf(name), valueText(value)]]
  );
  const sentences = [
    ...found.problems.map((text): [string, string] => ["Problem", text]),
    ...found.notes.map((text): [string, string] => ["Note", text]),
  ];
  const use = "command" in found.use
    ? [`Use it: ${found.use.command}`] // whole, to be copied
    : wrap(`Use it: ${found.use.text}`, width);
  return [
    `${found.path}: ${kinds[found.kind]}`,
    ...(details.length > 0 ? ["", ...factLines(details, width)] : []),
    ...(found.runs ? runLines(found.runs, width) : []),
    ...found.weights.flatMap((weights) => weightsLines(weights, all, width)),
    ...(sentences.length > 0 ? ["", ...factLines(sentences, width)] : []),
    "",
    ...use,
  ].map(harmless);
}

/** The document of `--json`: every tensor by itself, numbers as they are. */
export function reportDocument(found: Found) {
  const { path, kind, details, runs, notes, problems, use } = found;
  return {
    path,
    kind,
    details,
    ...(runs ? { runs } : {}),
    weights: found.weights.map(({ file, shards, metadata, tensors }) => ({
      file,
      ...(shards === undefined ? {} : { shards }),
      metadata,
      totals: totalsOf(tensors),
      tensors: tensors.map(({ name, dtype, shape, byteLength }) => ({
        name,
        dtype,
        shape,
        bytes: byteLength,
      })),
    })),
    problems,
    notes,
    use,
  };
}
