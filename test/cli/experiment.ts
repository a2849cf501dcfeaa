/** Experiments of fake trainings, for tests. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { runExperiment } from "../../cli/train/experiment.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { planRuns } from "../../cli/train/plan.ts";
import { findResumed } from "../../cli/train/resume.ts";
import { newSession } from "../../cli/train/session.ts";
import { type FakeOptions, fakeTools } from "./fake_tools.ts";
import { recorder } from "./recorder.ts";

const hub = { endpoint: "", cacheFolder: "", offline: true };

type Options = FakeOptions & { found?: Awaited<ReturnType<typeof findResumed>> };

/** Runs the command of these arguments into a folder. */
export async function experiment(outputDir: string, args: string[], options: Options = {}) {
  const command = ["--output_dir", outputDir, ...args];
  const parsed = parseFlags(command);
  assert.ok(parsed.kind === "flags", JSON.stringify(parsed));
  const isAsked = options.found === undefined && parsed.flags.resume !== undefined;
  const found = isAsked ? await findResumed(parsed.flags) : options.found;
  assert.ok(!found?.finished);
  const { flags, resumed } = { resumed: undefined, ...found ?? parsed };
  const session = newSession();
  const [out, err] = [recorder(), recorder()];
  const plan = planRuns(flags);
  const settings = { flags, plan, hub, command, resumed, out, err, session };
  const result = await runExperiment(settings, fakeTools(options));
  assert.equal(session.unfinished.size, 0);
  return { ...result, out: out.text, err: err.text };
}

/** Everything below a folder, hidden files too. */
export async function tree(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(folder)) {
    paths.push(entry.name);
    if (entry.isDirectory) {
      const below = await tree(join(folder, entry.name));
      paths.push(...below.map((path) => `${entry.name}/${path}`));
    }
  }
  return paths.sort();
}

/** The JSON of a file, by the parts of its path. */
export const readJson = async (...path: string[]) =>
  JSON.parse(await Deno.readTextFile(join(...path)));
