/** `--methods` of the benchmarks that time training steps. */
import { flag, valueOf } from "../cli/shared/flag_parser.ts";
import { parseChoices } from "../cli/shared/flag_values.ts";
import type { Point } from "./step_bench.ts";

export const methodsFlag = {
  methods: flag(
    "--methods",
    valueOf<Point["method"][]>(
      "LIST",
      (text) => parseChoices(text, ["full", "lora", "adapter"]),
      [],
    ),
    "full, lora (rank 8), adapter (size 64)",
    "all",
  ),
};
