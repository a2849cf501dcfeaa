/** What we use of Papa Parse; `@types/papaparse` would bring Node's types along, which no file here may use. */
interface PapaStep {
  /** The row's fields. */
  data: string[];
  errors: { code: "MissingQuotes" | "InvalidQuotes"; index: number }[];
  /** `cursor` is where the next row begins. */
  meta: { cursor: number };
}

interface PapaOptions {
  delimiter: string;
  newline: "\n";
  /** Whether quotes are plain characters; where it is not given, whether there are none. */
  fastMode?: boolean;
  /** What stands before a quote within quotes; a quote where it is not given. */
  escapeChar?: string;
  /** Called for each row. */
  step(row: PapaStep): void;
}

declare const Papa: { parse(text: string, options: PapaOptions): void };
export default Papa;
