/** An experiment: the planned runs one after another, each saved when it is whole, then compared. */
import { join } from "node:path";
import { ensureFolder, newExperiment } from "../shared/folders.ts";
import { formatBytes } from "../shared/format.ts";
import { type Output, renderNotice } from "../shared/terminal.ts";
import { createPace } from "./place.ts";
import { claimNamed } from "./claim_named.ts";
import { keepBagsOfWords } from "./comparing/baselines.ts";
import { isDiskFull } from "./checkpoints.ts";
import type { Comparison } from "./comparing/comparison.ts";
import { writeComparison, writePage } from "./comparing/comparison_files.ts";
import { type Fact, factsOf, printFacts } from "./facts.ts";
import { load, type Loaded, type LoadOptions, noticesOf } from "./load.ts";
import { type Shared, trainRun } from "./one_run.ts";
import { type PlannedRun, rateNote } from "./plan.ts";
import { checkSame, type Resumed, savedReport } from "./resume.ts";
import type { RanksReport, RunReport } from "./run_report.ts";
import { endSession, type Session } from "./session.ts";
import { withStanding } from "./standing.ts";
import type { DeviceHandle, TrainingTools } from "./tools.ts";
import { compared, productsOf, tuneForAdapter, type Tuning } from "./tuning.ts";
import { StoppedError } from "./watch.ts";
import { checkpointsOf, claimWork, dropWork, type Work, workFolder, writeWork } from "./work.ts";

export interface ExperimentOptions extends LoadOptions {
  /** The command's arguments, for `run.json`; of an experiment that goes on they are those that began it. */
  command: readonly string[];
  /** What goes on; undefined for an experiment that begins. */
  resumed?: Resumed;
  /** Progress goes here. */
  out: Output;
  session: Session;
  /** A task of a sweep: its session has claimed its work, and other tasks write into the experiment at the same time. */
  task?: { folder: string; work: string; goOn: string };
  /** Called when model and data are here, and no network is needed any more. */
  onLoaded?(): void;
  /** The other processes that train the runs too, where there are any. */
  crew?: Crew;
}

/** Other processes that take part in an experiment. */
export interface Crew {
  /** Loads, as each of them does. Throws a UserError on all where it fails on one, or where they loaded different things. */
  load(load: () => Promise<Loaded>): Promise<Loaded>;
  /** What is said of them, once they have loaded. */
  readonly facts: readonly Fact[];
  /** And what the results keep. */
  readonly report: RanksReport | undefined;
}

export interface Experiment {
  folder: string;
  runs: RunReport[];
  comparison: Comparison;
}

/** The kernels' plans: those of the experiment that goes on, where they are for this adapter, else timed or cached ones. */
async function tune<Device extends DeviceHandle>(
  { flags, resumed, err }: ExperimentOptions,
  { runs, model, dataset, split, tokenizer }: Loaded,
  device: Device,
  tools: TrainingTools<Device>,
): Promise<Tuning> {
  const before = resumed?.work.tuning;
  if (before?.key === tools.tuningKey(device)) {
    const { plans: known, refused } = before;
    const tuned = await tools.tuneKernels(device, [], { known, refused, report: () => {} });
    if (compared(before, tuned).foreign > 0) {
      const what = `${resumed?.folder} names plans of kernels that this adapter cannot have`;
      err.write(renderNotice(err, `${what}: they are ignored, and last bits may differ.`));
    }
    return tuned;
  }
  if (flags.noTune) return { plans: {}, refused: [] };
  const sizes = { config: model.config, classes: dataset.labels.length };
  const products = productsOf(device, runs, sizes, split, tokenizer, tools);
  return await tuneForAdapter(device, products, tools, err);
}

/** Runs an experiment, or what is left of one, and compares its runs; throws as {@link trainExperiment}. */
export async function runExperiment<Device extends DeviceHandle>(
  options: ExperimentOptions,
  tools: TrainingTools<Device>,
): Promise<Experiment> {
  return await trainExperiment(options, tools, async (folder, work, train) => {
    // Also where others failed or were stopped.
    const page = async () => {
      if (work.done.length > 0) await writePage(folder, options.err);
    };
    const runs = await train().finally(page);
    return { folder, runs, comparison: await writeComparison(folder, runs[0].run) };
  });
}

/**
 * Trains what is left of an experiment as `finish` wants it. What can be checked is checked before anything is trained; a run's folder
 * appears when the run is whole, and finished runs and checkpoints stay whatever comes after. Throws a UserError for what
 * the user can put right, and a StoppedError where the session was to stop.
 */
export async function trainExperiment<Device extends DeviceHandle, Result>(
  options: ExperimentOptions,
  tools: TrainingTools<Device>,
  finish: (folder: string, work: Work, train: () => Promise<RunReport[]>) => Promise<Result>,
): Promise<Result> {
  const { flags, plan, resumed, out, err, session, task, crew } = options;
  const outputDir = flags.outputDir ?? "results";
  const named = task?.folder ?? resumed?.folder ??
    (flags.experiment === undefined ? undefined : join(outputDir, flags.experiment));
  let device: Device | undefined;
  try {
    if (named === undefined) await ensureFolder(outputDir);
    else if (task === undefined) await claimNamed(named, options);
    const { matmulPrecision, computeDtype } = plan.runs[0].hyperparameters;
    device = await tools.createDevice({ matmulPrecision, computeDtype });
    const loadHere = () => load(options, tools);
    const loaded = await (crew ? crew.load(loadHere) : loadHere());
    options.onLoaded?.();
    const { runs, model, dataset, weights } = loaded;
    const { classWeights } = runs[0].hyperparameters;
    if (resumed) checkSame(resumed, { model, weights, dataset, classWeights });
    const tuning = await tune(options, loaded, device, tools);
    const folder = named ?? await newExperiment(outputDir, model.name, dataset.name);
    if (named === undefined) {
      session.folder = folder;
      session.claim = claimWork(folder);
    }
    const note = rateNote(plan, flags, model.name);
    printFacts([
      ...factsOf({ ...loaded, seed: plan.splitSeed, adapter: device.info }),
      ...(tuning.fact === undefined ? [] : [["Tuned", tuning.fact] as [string, string]]),
      ...(note === undefined ? [] : [["Rate", note] as [string, string]]),
      ...loaded.weightNotes.map((text): Fact => ["Note", text]),
      ...crew?.facts ?? [],
      ["Results", folder],
    ], out);
    const work: Work = resumed?.work ?? {
      command: [...options.command],
      runs: runs.map(({ name }) => name),
      done: [],
      model: { name: model.name, weights },
      class_weights: classWeights,
      dataset_hash: dataset.hash,
      tuning: { key: tools.tuningKey(device), plans: tuning.plans, refused: tuning.refused },
    };
    // Not before: what was unfinished stays where the new command turns out to be wrong.
    const workAt = task?.work ?? workFolder(folder);
    if (resumed === undefined) await dropWork(workAt);
    await writeWork(workAt, work);
    const shared: Shared<Device> = {
      ...loaded,
      maxSamples: flags.maxSamples,
      labelCase: flags.labelCase ?? "keep",
      splitSeed: plan.splitSeed,
      gradientCheckpointing: flags.gradientCheckpointing,
      ranks: crew?.report,
      adapter: device.info,
      kernels: { fixed: device.kernels.matmul, tuned: tuning.plans, refused: tuning.refused },
      notices: noticesOf(loaded),
      warnings: plan.warnings,
      command: work.command,
      device,
      folder,
      work: workAt,
      session,
      checkpoints: { steps: flags.checkpointSteps, keep: flags.keepCheckpoints ?? 2 },
      out,
      err,
    };
    if (flags.baselines) await keepBagsOfWords(folder, dataset, loaded.split, plan.splitSeed, out);
    return await finish(folder, work, () => trainRuns(runs, work, shared, tools, task?.goOn));
  } finally {
    session.training = false;
    device?.destroy();
    endSession(session);
  }
}

/** Notes that a run is saved, and drops its checkpoints: afterwards, or before where the disk is full. */
async function noteDone(folder: string, run: string, work: Work): Promise<void> {
  const drop = () => Deno.remove(checkpointsOf(folder, run), { recursive: true }).catch(() => {});
  try {
    await writeWork(folder, work);
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    await drop();
    await writeWork(folder, work);
  }
  await drop();
}

/** Trains the runs that are not done, and notes each in the work when it is. Returns the reports of all. */
async function trainRuns<Device extends DeviceHandle>(
  runs: readonly PlannedRun[],
  work: Work,
  shared: Shared<Device>,
  tools: TrainingTools<Device>,
  goOn?: string,
): Promise<RunReport[]> {
  const { folder, work: workAt, session, out } = shared;
  const reports: RunReport[] = [];
  const pace = createPace(runs.length - work.done.length);
  session.training = true;
  for (const [index, planned] of runs.entries()) {
    const { name } = planned;
    if (work.done.includes(name)) {
      reports.push(await savedReport(folder, name));
      continue;
    }
    if (session.stop) throw new StoppedError(session.stop, folder, `${name} has not begun`);
    out.write("\n");
    try {
      const report = await trainRun(planned, pace.placeOf(index, runs.length), shared, tools);
      pace.done();
      out.write(`  saved ${name}, ${formatBytes(report.exported_bytes)}\n`);
      reports.push(report);
      work.done.push(name);
      await noteDone(workAt, name, work);
      // So that an interrupted experiment has the comparison of what it finished; the caller writes that of all.
      if (index < runs.length - 1) await writeComparison(folder, name);
    } catch (error) {
      if (error instanceof StoppedError) throw error;
      throw await withStanding(error, name, { folder, work: workAt, goOn }, work);
    }
  }
  return reports;
}
