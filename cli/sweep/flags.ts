/** The flags of `deno task sweep`: lists of what is swept over, where it runs, and all of `train` that a task may have. */
import { group, merge, object } from "@optique/core/constructs";
import type { InferValue } from "@optique/core/parser";
import { choice } from "@optique/core/valueparser";
import { UserError } from "../../models/errors.ts";
import { methodNames, methods } from "../../models/peft/methods.ts";
import {
  flag,
  flagsInSnakeCase,
  parseCommand,
  type Parsed,
  switchOn,
  valueOf,
  whole,
} from "../shared/flag_parser.ts";
import {
  parseChoices,
  parseFolderName,
  parseLearningRates,
  parseSeeds,
  parseSizes,
  parseText,
} from "../shared/flag_values.ts";
import { inSnakeCase } from "../shared/format.ts";
import { dataFlags, settingFlags, trainingFields } from "../train/flags.ts";

export const sweepCommand = "deno task sweep";

/** Where tasks run. */
const launchers = ["local", "slurm", "kubernetes"] as const;

const compared = methodNames.filter((name) => methods[name].compared);

/** `1e-4,full=2e-5,tune`: each a rate for every method, or for one, or `tune` or `shared`; none twice. */
function parseRateList(text: string): string[] {
  const rates = text.split(",").map((rate) => rate.trim());
  for (const [index, rate] of rates.entries()) {
    parseLearningRates(rate);
    if (rates.indexOf(rate) < index) throw new Error(`"${text}" names ${rate} twice.`);
  }
  return rates;
}

const sweptFields = {
  methods: flag(
    "--methods",
    valueOf("LIST", (text) => parseChoices(text, methodNames), []),
    methodNames.join(", "),
    compared.join(),
  ),
  ranks: flag(
    "--ranks",
    valueOf("LIST", parseSizes, []),
    "Of LoRA",
    methods.lora.settings.rank.shown,
  ),
  sizes: flag(
    "--sizes",
    valueOf("LIST", parseSizes, []),
    "Of adapters",
    methods.adapter.settings.size.shown,
  ),
  learningRates: flag(
    "--learning_rates",
    valueOf("LIST", parseRateList, []),
    "For every method, or full=2e-5,lora=5e-4, or tune",
    "train's",
  ),
  seeds: flag(
    "--seeds",
    valueOf("LIST", parseSeeds, []),
    "On the split of --seed",
    "that of --seed",
  ),
};

const launchFields = {
  launcher: flag(
    "--launcher",
    choice(launchers, { metavar: "WHERE" }),
    "local: here; slurm: a job array; kubernetes: an Indexed Job",
    launchers[0],
  ),
  jobs: whole("--jobs", "Tasks at a time", "local: 1, else all", 1),
  processes: whole("--processes", "Of MPI that train a task together (kubernetes)", "1", 1),
  template: flag(
    "--template",
    valueOf("FILE", parseText, ""),
    "Your copy of deploy/slurm.sh or a manifest there",
    "that of deploy/",
  ),
  task: whole("--task", "Train this one alone, by its number", "all", 0),
};

const outputFields = {
  outputDir: flag("--output_dir", valueOf("FOLDER", parseText, ""), "Where results go", "results"),
  experiment: flag(
    "--experiment",
    valueOf("NAME", parseFolderName, ""),
    "The results' folder name",
    "made of the flags",
  ),
  checkpointSteps: whole(
    "--checkpoint_steps",
    "Optimiser steps between checkpoints",
    "only every epoch",
    1,
  ),
  keepCheckpoints: whole("--keep_checkpoints", "A run's newest so many are kept", "2", 1),
  dryRun: switchOn("--dry_run", "List the tasks and what would be started; needs no GPU"),
  json: switchOn("--json", "Print one JSON document on stdout"),
};

const { learningRate: _rate, seeds: _seeds, ...trainingFlags } = trainingFields;

export const parser = merge(
  group("Sweep", object(sweptFields)),
  group("Launcher", object(launchFields)),
  group("Settings of methods", object({ settings: settingFlags(["rank", "size"]) })),
  group("Model and data", dataFlags),
  group("Training", object(trainingFlags)),
  group("Results", object(outputFields)),
);

export type SweepFlags = InferValue<typeof parser>;

/** Reads the command line; never throws for what a user typed, and never exits. */
export function parseSweepFlags(args: readonly string[]): Parsed<SweepFlags> {
  return parseCommand(parser, args, {
    command: sweepCommand,
    brief: "Trains many runs into one experiment, a task each: here, as a Slurm array or as a " +
      "Kubernetes Job. Started again it goes on where it stopped.",
    examples: [
      "sweep --methods full,lora --seeds 1,2,3 --model_name mini --use_sample",
      "sweep --methods lora --ranks 4,8 --learning_rates 1e-4,5e-4,1e-3 --dry_run",
      "sweep --methods lora --seeds 1,2,3,4 --launcher slurm",
    ],
  });
}

/** The arguments without some flags, all of which but switches take a value. */
function without(args: readonly string[], fields: readonly string[]): string[] {
  const names = fields.map((name) => `--${inSnakeCase(name)}`);
  const kept: string[] = [];
  const words = flagsInSnakeCase(args);
  for (let at = 0; at < words.length; at++) {
    const [name, value] = words[at].split("=", 2);
    if (!names.includes(name)) kept.push(words[at]);
    else if (value === undefined && !switches.includes(name)) at++;
  }
  return kept;
}

const switches = ["--dry_run", "--json"];

/** The arguments that are `train`'s, as they were given. */
export const trainArguments = (args: readonly string[]): string[] =>
  without(args, Object.keys({ ...sweptFields, ...launchFields, ...outputFields }));

/** The arguments that every task is given, whatever launches it, but for where results go. */
export const taskArguments = (args: readonly string[]): string[] =>
  without(args, [...Object.keys(launchFields), "outputDir", "experiment", "dryRun", "json"]);

/** Throws a UserError (wrong use) on flags of another launcher. */
export function checkLauncher(
  { launcher = "local", template, task, jobs, processes = 1 }: SweepFlags,
): void {
  const wrong = launcher === "local" && template !== undefined
    ? "--template is of --launcher slurm or kubernetes: leave it out."
    : launcher !== "local" && task !== undefined
    ? `--task trains one task here: leave out --launcher ${launcher}.`
    : launcher !== "kubernetes" && processes > 1
    ? `--processes is of --launcher kubernetes. Here and in a Slurm job, mpirun starts them: ` +
      `mpirun -n ${processes} ./denow task train:mpi.`
    : processes > 1 && jobs !== undefined
    ? "--jobs has no effect with --processes: a cluster starts TrainJobs as it has room for them."
    : undefined;
  if (wrong !== undefined) throw new UserError(wrong, { exitCode: 2 });
}
