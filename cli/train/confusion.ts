/** The confusion matrix of a run: in `run.json` where it is small, else by its counts above 0 in a file of its own. */
import * as v from "valibot";

/** Of so many classes the matrix stands in `run.json`: of 1,000 it would be a million lines. */
const mostWithin = 100;

/** The file beside `run.json`, where there are more. */
export const confusionFile = "confusion_matrix.json";

/** Row by row, `[actual][predicted]`. */
type Matrix = number[][];

const schema = v.pipe(
  v.object({
    classes: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1e5)),
    /** `[actual, predicted, rows]`. */
    counts: v.array(v.tuple([v.number(), v.number(), v.number()])),
  }),
  v.check(({ classes, counts }) =>
    counts.every(([actual, predicted]) =>
      [actual, predicted].every((index) => Number.isInteger(index) && index >= 0 && index < classes)
    )
  ),
);

export const standsWithin = (matrix: Matrix): boolean => matrix.length <= mostWithin;

/** The file's content, a count a line. */
export function confusionText(matrix: Matrix): string {
  const counts = matrix.flatMap((row, actual) =>
    row.flatMap((rows, predicted) => rows > 0 ? [JSON.stringify([actual, predicted, rows])] : [])
  );
  return `{"classes": ${matrix.length}, "counts": [\n${counts.join(",\n")}\n]}\n`;
}

/** The counts of such a file. Throws where it is none. */
export function readConfusion(text: string): v.InferOutput<typeof schema> {
  return v.parse(schema, JSON.parse(text));
}

/** The whole matrix of such counts. */
export function matrixOf({ classes, counts }: v.InferOutput<typeof schema>): Matrix {
  const matrix = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (const [actual, predicted, rows] of counts) matrix[actual][predicted] = rows;
  return matrix;
}
