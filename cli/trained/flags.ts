/** The flags by which commands name a trained run, what it lies over, and how texts are put before it. */
import { choice } from "@optique/core/valueparser";
import { computeDtypes } from "../../engine/precision.ts";
import { backendFlag } from "../shared/backend.ts";
import { flag, valueOf, whole } from "../shared/flag_parser.ts";
import { parsePath, parseText } from "../shared/flag_values.ts";

/** The value of `--run`, and of every other flag that takes a folder. */
export const folder = valueOf("FOLDER", parsePath, "");

export const runFlag = (help: string) => flag("--run", folder, help, "required");

export const baseFlags = {
  modelName: flag(
    "--model_name",
    valueOf("NAME", parseText, ""),
    "Base model: Hub id, folder or mini",
    "the run's",
  ),
  labels: flag(
    "--labels",
    valueOf("LIST", parseText, ""),
    "Classes' names: a,b,c or a file, one a line",
    "the run's",
  ),
};

export const sizeFlags = {
  ...backendFlag,
  maxLength: whole("--max_length", "Tokens a text is cut to", "the run's", 3),
  batchSize: whole("--batch_size", "Texts a batch", "the run's", 1),
  computeDtype: flag(
    "--compute_dtype",
    choice(computeDtypes, { metavar: "TYPE" }),
    "Activations in memory: f32 or f16",
    "f32",
  ),
};
