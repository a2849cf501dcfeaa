/** What an inspection finds, as plain data: printed as text or as JSON. */
import { predictCommand } from "../shared/shell.ts";
import type { FoundWeights, Weights } from "./weights.ts";

/** The kinds of files and folders that are told apart, and their titles. */
export const kinds = {
  safetensors: "safetensors file",
  model: "base model",
  peft: "adapter of PEFT",
  adapterhub: "adapter of AdapterHub",
  output_adapter: "output adapter of this program",
  run: "run of this program",
  experiment: "experiment of this program",
  dataset: "data set",
  unknown: "nothing that is known here",
} as const;

export interface Found {
  path: string;
  kind: keyof typeof kinds;
  /** By names in snake_case, in the order of reading; undefined ones are left out. */
  details: Record<string, string | number | string[] | undefined>;
  weights: Weights[];
  /** An experiment's. */
  runs?: {
    run: string;
    method: string;
    accuracy?: number;
    macro_f1?: number;
    trainable?: number;
  }[];
  notes: string[];
  /** Why this program cannot take it. */
  problems: string[];
  /** Whether a file cannot be read at all: the exit code tells of it. */
  damaged: boolean;
  /** A command line, or a sentence where no command takes it. */
  use: { command: string } | { text: string };
}

/** What most kinds start from: their weights, and nothing else yet. */
export function foundIn(
  path: string,
  kind: Found["kind"],
  { weights, damaged, notes }: FoundWeights = { weights: [], damaged: [], notes: [] },
): Found {
  return {
    path,
    kind,
    details: {},
    weights,
    notes: [...notes],
    problems: [...damaged],
    damaged: damaged.length > 0,
    use: { text: "no command of this program takes it as it is." },
  };
}

/** The command that labels texts with what a folder holds. */
export const prediction = (path: string) => ({
  command: predictCommand(path),
});
