/** Runs that were recorded, for a reader whose browser has no GPU for the page: `recorded.json` beside it. */

/** A point of a curve: the step, and the value there. */
type Point = readonly [step: number, value: number];

export interface RecordedRun {
  name: string;
  method: string;
  trainable: number;
  /** Each the mean of five steps. */
  loss: readonly Point[];
  macroF1: readonly Point[];
  test: { accuracy: number; macroF1: number };
}

export interface Recording {
  /** The command that trained them, and the adapter that computed. */
  command: string;
  adapter: string;
  runs: readonly RecordedRun[];
}
