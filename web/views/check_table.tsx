/** What the checks against float64 found, row by row. */
import { allowed, type CheckRow } from "../../gradcheck/mod.ts";

const error = (value: number | undefined) => value === undefined ? "" : value.toExponential(1);

/** What is wrong with a value that is above what is allowed, for a reader who does not see its colour. */
function Error({ value, most }: { value?: number; most: number }) {
  const wrong = value !== undefined && !(value <= most);
  return <td class={wrong ? "number failed" : "number"}>{error(value)}</td>;
}

export function CheckTable({ rows, label }: { rows: readonly CheckRow[]; label: string }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label={label}>
      <table class="sheet checks">
        <thead>
          <tr>
            <th>Operation</th>
            <th class="number">Shapes</th>
            <th class="number">Result</th>
            <th class="number">Gradients</th>
            <th>Status</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((
            { operation, variant, cases, forward, gradient, status, worst, message },
          ) => (
            <tr key={`${operation} ${variant}`}>
              <th>
                {operation} {variant && <small>{variant}</small>}
              </th>
              <td class="number">{cases}</td>
              <Error value={forward} most={allowed.forward} />
              <Error value={gradient} most={allowed.gradient} />
              <td class={status === "failed" ? "failed" : undefined}>
                {status === "ok" ? "ok" : `${status}: ${message ?? worst}`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What the table's numbers are. */
export function CheckHint() {
  return (
    <p class="hint">
      Largest errors as shares of the expected norm; {allowed.forward.toExponential(0)} and{" "}
      {allowed.gradient.toExponential(0)} are allowed.
    </p>
  );
}
