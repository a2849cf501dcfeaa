/**
 * `deno task pretrain`: trains a BERT from scratch on text files, and ends with an exit code: 0 done, 1 failed, 2 wrong
 * use, 130 interrupted (SIGTERM 143, SIGHUP 129, SIGUSR2 140).
 */
import { basename, resolve } from "node:path";
import { UserError } from "../models/errors.ts";
import { adviceForPretraining } from "./shared/advice.ts";
import { runCommand } from "./shared/command.ts";
import { quoted } from "./shared/shell.ts";
import { jsonText, paint, standardOutput } from "./shared/terminal.ts";
import { parsePretrainFlags, type PretrainFlags } from "./pretrain/flags.ts";
import { planPretraining } from "./pretrain/plan.ts";
import {
  claimOutput,
  claimResumed,
  leaveOutput,
  type PretrainWork,
  readWork,
} from "./pretrain/work.ts";
import { endOnSignals, endSession, newSession } from "./train/session.ts";

const command = "deno task pretrain";
const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

/** Flags that go with --resume; all others are those that the run began with. */
const withResume = ["resume", "output", "json"];

function checkResumed(flags: PretrainFlags): void {
  const given = Object.entries(flags).filter(([name, value]) =>
    !withResume.includes(name) && value !== undefined && value !== false &&
    !(Array.isArray(value) && value.length === 0)
  );
  if (given.length === 0) return;
  throw new UserError(
    "--resume goes on with the flags that the run began with: give it --output alone.",
    { exitCode: 2 },
  );
}

/** What a run began with, and its flags. */
async function resumedFlags(
  output: string,
): Promise<{ flags: PretrainFlags; work: PretrainWork }> {
  const work = await readWork(output);
  if (work === undefined) {
    throw new UserError(`${output} has no unfinished pretraining: there is nothing to resume.`, {
      exitCode: 2,
    });
  }
  const parsed = parsePretrainFlags(work.command);
  if (parsed.kind !== "flags") {
    throw new UserError(`The command that began ${output} is none of this version's.`);
  }
  return { flags: parsed.flags, work };
}

async function run(given: PretrainFlags, args: readonly string[]): Promise<number> {
  const output = given.output?.replace(/(.)[\\/]+$/, "$1");
  if (output === undefined) {
    throw new UserError("Say where the model goes with --output FOLDER.", { exitCode: 2 });
  }
  if (given.resume) checkResumed(given);
  const resumed = given.resume ? await resumedFlags(output) : undefined;
  const flags = resumed?.flags ?? given;
  const plan = planPretraining(flags);
  for (const warning of plan.warnings) {
    stderr.write(`${paint(stderr, "yellow", "Warning:")} ${warning}\n`);
  }
  const session = newSession();
  endOnSignals(session, stderr);
  const claim = resumed ? await claimResumed(output) : await claimOutput(output, flags.overwrite);
  try {
    // Loaded only now, so that --help and mistakes need no engine.
    const { runPretraining } = await import("./pretrain/train.ts");
    const done = await runPretraining({
      flags,
      plan,
      output,
      name: basename(resolve(output)),
      args: resumed?.work.command ?? args,
      resumed: resumed?.work,
      session,
      out: given.json ? stderr : stdout,
      err: stderr,
    });
    if (done && given.json) stdout.write(`${jsonText(done)}\n`);
    if (done) return 0;
    stderr.write(
      `Stopped by ${session.stop!.signal}. Go on with: ${command} --resume --output ${
        quoted(output)
      }\n`,
    );
    return session.stop!.exitCode;
  } finally {
    session.training = false;
    await leaveOutput(output, claim);
    endSession(session);
  }
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  return runCommand(parsePretrainFlags(args), command, (flags) => run(flags, args), {
    stdout,
    stderr,
    advice: adviceForPretraining,
  });
}

if (import.meta.main) Deno.exit(await main(Deno.args));
