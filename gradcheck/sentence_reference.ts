/** The float64 reference of operations over packed sentences and their vectors. */
import { columnSums, type Values } from "./reference.ts";

/** The mean of each sentence's rows, the sentences one after another, and the gradient; other rows have none. */
export function meanPool(x: Values, lengths: number[], columns: number, dy: Values) {
  const dx: Values = new Array(x.length).fill(0);
  let first = 0;
  const y = lengths.flatMap((length, sentence) => {
    const rows = x.slice(first * columns, (first + length) * columns);
    rows.forEach((_, i) => {
      dx[first * columns + i] = dy[sentence * columns + i % columns] / length;
    });
    first += length;
    return columnSums(rows, columns).map((sum) => sum / length);
  });
  return { y, gradients: [dx] };
}

/** One minus the mean cosine of rows and targets, and its gradient times `dloss`. */
export function cosineLoss(x: Values, targets: Values, columns: number, dloss: number) {
  const rows = x.length / columns;
  const row = (values: Values, r: number) => values.slice(r * columns, (r + 1) * columns);
  let loss = 0;
  const dx = Array.from({ length: rows }, (_, r) => {
    const [own, other] = [row(x, r), row(targets, r)];
    const [length, otherLength] = [Math.hypot(...own), Math.hypot(...other)];
    const cosine = own.reduce((sum, value, i) => sum + value * other[i], 0) / length / otherLength;
    loss += (1 - cosine) / rows;
    return own.map((value, i) =>
      -dloss / rows * (other[i] / length / otherLength - cosine * value / length ** 2)
    );
  });
  return { y: [loss], gradients: [dx.flat()] };
}
