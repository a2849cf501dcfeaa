/** Rows of gradcheck as a table, and what follows from them in words. */
import { allowed, type CheckRow } from "../../gradcheck/mod.ts";
import { type Column, renderTable } from "../shared/table.ts";
import { harmless, type Output, paint, wrap } from "../shared/terminal.ts";

const columns: Column[] = [
  { title: "Operation", shrinks: true },
  { title: "Shapes", right: true },
  { title: "Forward error", right: true },
  { title: "Gradient error", right: true },
  { title: "Allowed", right: true },
  { title: "" },
];

/** `layerNorm`, `linear, LoRA` */
export const rowName = ({ operation, variant }: Pick<CheckRow, "operation" | "variant">): string =>
  variant === undefined ? operation : `${operation}, ${variant}`;

function formatError(error: number | undefined): string {
  if (error === undefined) return "–";
  if (error === 0) return "0";
  return Number.isFinite(error) ? error.toExponential(1) : "no number";
}

function allowedFor({ gradient }: CheckRow): string {
  const limits = gradient === undefined ? [allowed.forward] : [allowed.forward, allowed.gradient];
  return limits.map((limit) => limit.toExponential()).join(", ");
}

/** The table's lines, at most `width` columns wide as far as they go. */
export function checkTable(rows: readonly CheckRow[], width: number): string[] {
  return renderTable(
    columns,
    rows.map((row) => [
      rowName(row),
      String(row.cases),
      formatError(row.forward),
      formatError(row.gradient),
      allowedFor(row),
      row.status,
    ]),
    width,
  );
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
