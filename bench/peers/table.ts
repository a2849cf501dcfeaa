/** The comparison's table: rates, and how many times as fast ours is. */
import { type Column, renderTable } from "../../cli/shared/table.ts";
import { formatRate } from "../../kernelbench/format.ts";
import type { PeerRow } from "../schema.ts";

export const peerColumns: Column[] = [
  { title: "Operation" },
  { title: "Shape" },
  { title: "Unit" },
  { title: "Ours", right: true },
  { title: "jax-js", right: true },
  { title: "tfjs", right: true },
  { title: "×jax-js", right: true },
  { title: "×tfjs", right: true },
];

export function peerCells({ kernel, shape, unit, ours, jax_js, tfjs }: PeerRow): string[] {
  const rate = (value: number | null) => value === null ? "-" : formatRate(value);
  const ratio = (value: number | null) => value === null ? "-" : (ours / value).toFixed(1);
  return [kernel, shape, unit, rate(ours), rate(jax_js), rate(tfjs), ratio(jax_js), ratio(tfjs)];
}

/** Lines of at most 80 columns. */
export function peerTable(rows: readonly PeerRow[]): string[] {
  return renderTable(peerColumns, rows.map(peerCells));
}
