/**
 * `deno task web:record`: writes `web/recorded.json`, the runs that the page shows where a browser has no GPU, from an
 * experiment's folder. Exit codes: 0 done, 1 failed, 2 wrong use.
 */
import { object } from "@optique/core/constructs";
import { UserError } from "../../models/errors.ts";
import { writeFileWhole } from "../../models/host/write.ts";
import type { RecordedRun, Recording } from "../../web/lab/recorded.ts";
import { readExperiments, type ReadRun } from "../report/read.ts";
import { shellWords } from "../report/sections/settings.ts";
import { runCommand } from "../shared/command.ts";
import { parseCommand, texts } from "../shared/flag_parser.ts";
import { countOf, formatAdapter } from "../shared/format.ts";
import { standardOutput } from "../shared/terminal.ts";
import { repositoryPath } from "./site.ts";

const command = "deno task web:record";

export const parser = object({
  folders: texts("An experiment's folder, or folders of runs", "FOLDER"),
});

/** Steps whose mean loss is a point. */
const stepsAPoint = 5;

const rounded = (value: number): number => Number(value.toFixed(4));

function recordedRun({ fields, steps }: ReadRun): RecordedRun {
  const points = Math.ceil(steps.length / stepsAPoint);
  const loss = Array.from({ length: points }, (_, at) => {
    const part = steps.slice(at * stepsAPoint, (at + 1) * stepsAPoint);
    const mean = part.reduce((sum, { loss }) => sum + loss, 0) / part.length;
    return [part.at(-1)!.step, rounded(mean)] as const;
  });
  return {
    name: fields.run,
    method: fields.method,
    trainable: fields.trainable_params,
    loss,
    macroF1: fields.validation.map(({ macro_f1 }, at) =>
      [fields.validation_steps[at], rounded(macro_f1)] as const
    ),
    test: { accuracy: rounded(fields.test.accuracy), macroF1: rounded(fields.test.macro_f1) },
  };
}

/** What the page shows of an experiment. Throws a UserError where a folder holds no run, or a part of one is lost. */
export async function recordingOf(folders: readonly string[]): Promise<Recording> {
  const { runs, problems } = await readExperiments(folders);
  if (problems.length > 0) throw new UserError(`This cannot be recorded whole: ${problems[0]}`);
  const [{ fields: { adapter, command } }] = runs;
  const asked = command.filter((_, at) => !ownFlag(command, at));
  return {
    command: shellWords(["./denow", "task", "train", ...asked]),
    adapter: adapter ? formatAdapter(adapter) : "an adapter that is not named",
    runs: runs.toSorted(byStart).map(recordedRun),
  };
}

const byStart = (one: ReadRun, other: ReadRun): number =>
  (one.fields.started ?? "") < (other.fields.started ?? "") ? -1 : 1;

/** Whether a word says only where this machine was to put the results. */
const ownFlag = (words: readonly string[], at: number): boolean =>
  [words[at], words[at - 1]].some((word) => ["--output_dir", "--experiment"].includes(word));

function main(args: readonly string[]): Promise<number> {
  const stdout = standardOutput("stdout");
  const parsed = parseCommand(parser, args, {
    command,
    brief: "Writes the runs that the page shows without a GPU, web/recorded.json.",
    examples: ["web:record results/experiment"],
    operands: "FOLDER …",
  });
  return runCommand(parsed, command, async ({ folders }) => {
    if (folders.length === 0) {
      throw new UserError("Name an experiment's folder, as results/experiment.", { exitCode: 2 });
    }
    const recording = await recordingOf(folders);
    const path = repositoryPath("web/recorded.json");
    await writeFileWhole(path, `${JSON.stringify(recording)}\n`);
    stdout.write(`web/recorded.json: ${countOf(recording.runs.length, "run")}\n`);
  }, { stdout });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
