/** Singular values, by one-sided Jacobi rotations (Hestenes 1958; Golub and Van Loan, Matrix Computations, 8.6.3). */

/** Sweeps after which the columns of any matrix here are orthogonal to the last digits. */
const mostSweeps = 30;

/** Singular values of a matrix [rows, columns], row by row, the largest first; computed in float64. */
export function singularValues(values: ArrayLike<number>, columns: number): number[] {
  const rows = values.length / columns;
  const matrix = Array.from(
    { length: columns },
    (_, column) => Float64Array.from({ length: rows }, (_, row) => values[row * columns + column]),
  );
  const dot = (one: Float64Array, other: Float64Array) => {
    let sum = 0;
    for (let i = 0; i < rows; i++) sum += one[i] * other[i];
    return sum;
  };
  for (let sweep = 0, rotated = true; rotated && sweep < mostSweeps; sweep++) {
    rotated = false;
    for (let p = 0; p < columns - 1; p++) {
      for (let q = p + 1; q < columns; q++) {
        const [left, right] = [matrix[p], matrix[q]];
        const [alpha, beta, gamma] = [dot(left, left), dot(right, right), dot(left, right)];
        if (Math.abs(gamma) <= 1e-12 * Math.sqrt(alpha * beta)) continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const tangent = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const cosine = 1 / Math.hypot(1, tangent);
        const sine = cosine * tangent;
        for (let i = 0; i < rows; i++) {
          const was = left[i];
          left[i] = cosine * was - sine * right[i];
          right[i] = sine * was + cosine * right[i];
        }
      }
    }
  }
  return matrix.map((column) => Math.sqrt(dot(column, column))).sort((a, b) => b - a);
}

/**
 * The error of the best approximation of each rank from 0 to all, as a share of the matrix's Frobenius norm: what the
 * singular values that are left out weigh (Eckart and Young 1936).
 */
export function rankErrors(singular: readonly number[]): number[] {
  const total = singular.reduce((sum, value) => sum + value * value, 0);
  let left = total;
  const errors = [total === 0 ? 0 : 1];
  for (const value of singular) {
    left = Math.max(0, left - value * value);
    errors.push(total === 0 ? 0 : Math.sqrt(left / total));
  }
  return errors;
}
