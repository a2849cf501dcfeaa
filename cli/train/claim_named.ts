/** The claim on an experiment that has a name already: a named one, or one that goes on. */
import { UserError } from "../../models/errors.ts";
import { checkExperiment } from "../shared/folders.ts";
import type { ExperimentOptions } from "./experiment.ts";
import { readAgain } from "./resume.ts";
import { resumeCommand } from "./standing.ts";
import { isSweep } from "./sweep_folder.ts";
import { claimWork, describeWork, mendWork, readWork, type Work, workFolder } from "./work.ts";

/** Claims it for the session. Throws a UserError where its runs would meet what is there. */
export async function claimNamed(
  folder: string,
  { plan, flags, resumed, session }: ExperimentOptions,
): Promise<void> {
  if (await isSweep(folder)) {
    throw new UserError(
      `${folder} is the folder of a sweep, whose tasks write there: take another --experiment, or ` +
        `go on with it by deno task sweep.`,
      { exitCode: 2 },
    );
  }
  session.folder = folder;
  session.claim = claimWork(folder);
  await mendWork(folder);
  if (resumed !== undefined) return await readAgain(resumed);
  if (flags.overwrite) return;
  const work = await readWork(workFolder(folder));
  if (work !== undefined && !isFinished(work)) {
    throw new UserError(
      `${folder} has unfinished runs: ${await describeWork(
        workFolder(folder),
        work,
      )}. Go on with: ` +
        `${resumeCommand(folder)}, or drop them with --overwrite.`,
      { exitCode: 2 },
    );
  }
  await checkExperiment(folder, plan.runs.map((run) => run.name));
}

const isFinished = ({ runs, done }: Work) => runs.every((run) => done.includes(run));
