/** What a failure leaves: which runs are saved, which one has a checkpoint, and how to go on. */
import { messageOf, UserError } from "../../models/errors.ts";
import { exists } from "../../models/host/files.ts";
import { quoted } from "../shared/shell.ts";
import { checkpointSteps, isDiskFull } from "./checkpoints.ts";
import type { StoppedError } from "./watch.ts";
import { checkpointsOf, type Work } from "./work.ts";

/** The command that goes on with an experiment. */
export const resumeCommand = (folder: string) => `deno task train --resume ${quoted(folder)}`;

/** What a user reads where a training was stopped; an experiment without a run, trial or checkpoint has no folder left. */
export async function stoppedSentence({ stop, experiment, where }: StoppedError): Promise<string> {
  const next = await exists(experiment)
    ? `Go on with: ${resumeCommand(experiment)}`
    : "The same command begins anew.";
  return `Stopped (${stop.signal}): ${where}. ${next}`;
}

/** Whether training the same again would fail the same way. */
function isRepeatable(error: unknown): boolean {
  const kind = error instanceof UserError ? error.remedy?.kind : undefined;
  return kind === "lowerLearningRate" || kind === "sameRun";
}

/** Adds to a failure what is saved and what is not, and the command `goOn`; itself where nothing is. */
export async function withStanding(
  error: unknown,
  failed: string,
  { folder, work, goOn = resumeCommand(folder) }: { folder: string; work: string; goOn?: string },
  { runs, done }: Work,
): Promise<unknown> {
  const checkpoints = checkpointsOf(work, failed);
  const [step] = await checkpointSteps(checkpoints).catch(() => []);
  if (done.length === 0 && step === undefined) return error;
  const left = runs.filter((run) => !done.includes(run) && run !== failed);
  const sentences = [
    done.length > 0 && `Finished and saved in ${folder}: ${done.join(", ")}.`,
    step !== undefined && `A checkpoint of step ${step} is kept in ${checkpoints}.`,
    left.length > 0 && `Not trained: ${left.join(", ")}.`,
    !isRepeatable(error) && `${isDiskFull(error) ? "Free some space, then go" : "Go"} on with: ` +
      goOn,
  ].filter((sentence) => sentence !== false);
  return new UserError([`${failed}: ${messageOf(error)}`, ...sentences].join(" "), {
    // Of a full disk all is said, and in words that fit an experiment which has its folder already.
    cause: isDiskFull(error) ? undefined : error,
    exitCode: error instanceof UserError ? error.exitCode : 1,
  });
}
