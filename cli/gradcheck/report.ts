/** Rows of gradcheck as a table, and what follows from them in words. */
import type { allowed, CheckRow } from "../../gradcheck/mod.ts";
import { type Column, renderTable } from "../shared/table.ts";
import { harmless, type Output, paint, wrap } from "../shared/terminal.ts";

/** A column, its cells, and whether a narrow terminal does without it. */
interface Field extends Column {
  cell(row: CheckRow): string;
  spare?: true;
}

const fieldsFor = (limits: typeof allowed): Field[] => [
  { title: "Operation", shrinks: true, cell: rowName },
  { title: "Shapes", right: true, spare: true, cell: ({ cases }) => String(cases) },
  { title: "Forward error", right: true, cell: ({ forward }) => formatError(forward) },
  { title: "Gradient error", right: true, cell: ({ gradient }) => formatError(gradient) },
  { title: "Allowed", right: true, spare: true, cell: (row) => allowedFor(row, limits) },
  { title: "", cell: ({ status }) => status },
];

/** `layerNorm`, `linear, LoRA` */
export function rowName({ operation, variant }: Pick<CheckRow, "operation" | "variant">): string {
  return variant === undefined ? operation : `${operation}, ${variant}`;
}

function formatError(error: number | undefined): string {
  if (error === undefined) return "–";
  if (error === 0) return "0";
  return Number.isFinite(error) ? error.toExponential(1) : "no number";
}

function allowedFor({ gradient }: CheckRow, limits: typeof allowed): string {
  const both = gradient === undefined ? [limits.forward] : [limits.forward, limits.gradient];
  return both.map((limit) => limit.toExponential()).join(", ");
}

/** Columns below which there is no room for what is spare. */
const roomy = 64;

/** The table's lines, at most `width` columns wide as far as they go. */
export function checkTable(
  rows: readonly CheckRow[],
  width: number,
  limits: typeof allowed,
): string[] {
  const shown = fieldsFor(limits).filter(({ spare }) => !spare || width >= roomy);
  return renderTable(shown, rows.map((row) => shown.map(({ cell }) => cell(row))), width);
}

/** Where a row failed, and why, as a sentence. */
function complaint(row: CheckRow): string {
  const where = `${rowName(row)} at ${row.worst}`;
  if (row.message !== undefined) return `${where}: ${row.message}`;
  if (!row.repeats) return `${where}: a second run gave other bits.`;
  return `${where}: off by ${formatError(row.forward)}` +
    (row.gradient === undefined ? "." : `, its gradients by ${formatError(row.gradient)}.`);
}

/** What the rows say of the adapter, as paragraphs. */
export function verdict(rows: readonly CheckRow[], out: Output): string[] {
  const failed = rows.filter(({ status }) => status === "failed");
  const refused = rows.filter(({ status }) => status === "refused");
  const width = Math.max(20, Math.min(out.columns(), 100));
  const lines = (text: string) => wrap(harmless(text), width);
  const what =
    "Errors are of the norm of what float64 gives; adamw's are of the gradient's norm and " +
    "of how parameters move. Every run is made twice, for the same bits.";
  return [
    ...lines(what),
    ...refused.flatMap((row) =>
      lines(`Refused by the driver, and not used in training: ${complaint(row)}`)
    ),
    ...failed.flatMap((row) => {
      const [first, ...rest] = lines(`Failed: ${complaint(row)}`);
      return [paint(out, "red", first), ...rest];
    }),
    "",
    ...lines(
      failed.length === 0
        ? "All kernels compute what they should on this adapter."
        : `${failed.length} of ${rows.length} fail: do not train on this adapter. Report it with ` +
          "the output of --json and of deno task doctor --json.",
    ),
  ];
}
