/** Prints the rows that exchange.ts and the checks wrote; exit code 1 where one is off. */
import { renderTable } from "../../cli/shared/table.ts";
import type { Row } from "./exchange.ts";
import { tolerance } from "./kinds.ts";

const fits = ({ difference }: Row): boolean =>
  typeof difference === "number" && difference < tolerance;

const rows: Row[] = Deno.args.flatMap((path) => JSON.parse(Deno.readTextFileSync(path)));
const columns = [
  { title: "Kind" },
  { title: "Direction" },
  { title: "Max difference", right: true },
  { title: "OK" },
];
const cells = rows.map((row) => [
  row.kind,
  row.direction,
  typeof row.difference === "number" ? row.difference.toExponential(1) : "failed",
  fits(row) ? "yes" : "NO",
]);
console.log(renderTable(columns, cells, Infinity).join("\n"));
for (const { kind, direction, difference } of rows) {
  if (typeof difference === "string") console.log(`\n${kind}, ${direction}: ${difference}`);
}
const failed = rows.filter((row) => !fits(row)).length;
console.log(`\n${rows.length} exchanges, ${failed} of them off by ${tolerance} or more.`);
Deno.exit(failed > 0 || rows.length === 0 ? 1 : 0);
