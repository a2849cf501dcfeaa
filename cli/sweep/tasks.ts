/** From the lists of a sweep to its tasks: one run each, as a command line of `train`. */
import { fnv1a } from "../../engine/hash.ts";
import { UserError } from "../../models/errors.ts";
import { type MethodName, methodNames, methods } from "../../models/peft/methods.ts";
import { fittedName } from "../shared/file_names.ts";
import { parseLearningRates } from "../shared/flag_values.ts";
import { shortName } from "../shared/folders.ts";
import { formatRate } from "../shared/format.ts";
import { type Flags, parseFlags } from "../train/flags.ts";
import { type Plan, type PlannedRun, planRuns } from "../train/plan.ts";
import { sweepCommand, type SweepFlags, trainArguments } from "./flags.ts";

/** One run of a sweep. */
export interface Task {
  /** The name of its folder. */
  run: string;
  /** What `deno task train` would be given for it, but where it goes. */
  arguments: string[];
}

/** A task as it is trained: its one run under the sweep's name for it. */
export interface PlannedTask extends Task {
  planned: PlannedRun;
  flags: Flags;
  plan: Plan;
}

/** What is given once for every task, and planned again for the sizes that a method has by default. */
function plansOf(args: string[]): { flags: Flags; plan: Plan } {
  const parsed = parseFlags(args);
  if (parsed.kind !== "flags") {
    const what = parsed.kind === "error" ? parsed.message : "Help was asked for.";
    throw new UserError(`${what} See ${sweepCommand} --help.`, { exitCode: 2 });
  }
  return { flags: parsed.flags, plan: planRuns(parsed.flags) };
}

/** Command lines of the sizes of a method that are asked for, or that it has by default. */
function sizesOf(method: MethodName, { ranks, sizes }: SweepFlags): string[][] {
  const defaults = (flag: string, shown: string, given: number[] | undefined) =>
    (given ?? shown.split(",").map(Number)).map((size) => [flag, `${size}`]);
  if (method === "lora") return defaults("--rank", methods.lora.settings.rank.shown, ranks);
  if (method === "adapter") return defaults("--size", methods.adapter.settings.size.shown, sizes);
  return [[]];
}

/** The rates of a method: those for all and its own; one by default. */
function ratesOf(method: MethodName, rates: readonly string[]): (string | undefined)[] {
  const its = rates.filter((rate) => !rate.includes("=") || rate.startsWith(`${method}=`));
  return its.length === 0 ? [undefined] : its;
}

/** What tells a rate from the others in a run's name; nothing of one that is searched for, whose name says so already. */
function rateSuffix(method: MethodName, rate: string | undefined): string {
  const value = rate === undefined ? undefined : parseLearningRates(rate).rates[method];
  return value === undefined ? "" : `-lr${formatRate(value)}`;
}

/** Flags that no method of the sweep has any use for. */
function checkUsed(flags: SweepFlags, chosen: readonly MethodName[]): void {
  const unused: [string, MethodName, unknown][] = [
    ["--ranks", "lora", flags.ranks],
    ["--sizes", "adapter", flags.sizes],
  ];
  for (const [flag, method, given] of unused) {
    if (given === undefined || chosen.includes(method)) continue;
    throw new UserError(
      `${flag} is of ${method}, which is not among --methods ${chosen.join()}: add it, or leave the flag out.`,
      { exitCode: 2 },
    );
  }
  const idle = (flags.learningRates ?? []).find((rate) => {
    const named = methodNames.find((name) => rate.startsWith(`${name}=`));
    return named !== undefined && !chosen.includes(named);
  });
  if (idle === undefined) return;
  throw new UserError(
    `--learning_rates ${idle} is of a method that is not among --methods ${chosen.join()}: add it, ` +
      `or leave the rate out.`,
    { exitCode: 2 },
  );
}

/**
 * The tasks of a sweep, seed by seed, so that what is done at any moment is a comparison. Throws a UserError (wrong use) on
 * flags that contradict each other.
 */
export function tasksOf(args: readonly string[], flags: SweepFlags): PlannedTask[] {
  const chosen = flags.methods ?? methodNames.filter((name) => methods[name].compared);
  checkUsed(flags, chosen);
  const shared = trainArguments(args).filter((word) => word !== "--baselines");
  const lines = (flags.seeds ?? [undefined]).flatMap((seed) =>
    methodNames.filter((name) => chosen.includes(name)).flatMap((method) => {
      const rates = ratesOf(method, flags.learningRates ?? []);
      return sizesOf(method, flags).flatMap((size) =>
        rates.map((rate) => ({ seed, method, size, rate, isOne: rates.length === 1 }))
      );
    })
  );
  const tasks = lines.map(({ seed, method, size, rate, isOne }, index) => {
    const line = [
      ...shared,
      // Once is enough for the experiment.
      ...(flags.baselines && index === 0 ? ["--baselines"] : []),
      ...["--method", method, ...size],
      ...(rate === undefined ? [] : ["--learning_rate", rate]),
      ...(seed === undefined ? [] : ["--seeds", `${seed}`]),
    ];
    const { flags: given, plan } = plansOf(line);
    const [run] = plan.runs;
    const group = fittedName(`${run.group}${isOne ? "" : rateSuffix(method, rate)}`, 160);
    const name = seed === undefined ? group : `${group}-s${seed}`;
    const planned = { ...run, group, name };
    const own = {
      ...given,
      checkpointSteps: flags.checkpointSteps,
      keepCheckpoints: flags.keepCheckpoints,
    };
    return {
      run: name,
      arguments: line,
      planned,
      flags: own,
      plan: { ...plan, runs: [planned], warnings: [...plan.warnings] },
    };
  });
  for (const { plan } of tasks) {
    plan.warnings = plan.warnings.filter((text) =>
      !/ has no effect with --method /.test(text) || isWarnedOf(text.split(" ")[0], tasks)
    );
  }
  const names = tasks.map(({ run }) => run);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return tasks;
  throw new UserError(`The flags ask for ${twice} twice: name each learning rate once a method.`, {
    exitCode: 2,
  });
}

/** Settings of one method are no mistake where that is among those that are swept over. */
const isWarnedOf = (flag: string, tasks: readonly PlannedTask[]) =>
  tasks.every(({ plan }) => plan.warnings.some((text) => text.startsWith(`${flag} `)));

/** The folder's name where none is given: the same flags have the same one, so that a sweep started twice goes on. */
export function defaultName(
  tasks: readonly Task[],
  { modelName, dataset, useSample }: SweepFlags,
): string {
  const hash = fnv1a(JSON.stringify(tasks.map(({ arguments: line }) => line)));
  const data = useSample ? "sample" : shortName(dataset ?? "emotions");
  const model = shortName(modelName ?? "bert-base-uncased");
  return ["sweep", model, data, hash.toString(16).padStart(8, "0")].join("-");
}
