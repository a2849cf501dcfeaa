/**
 * `deno task push`: uploads a trained run or a merged model to the Hugging Face hub with a model card, and ends
 * with an exit code: 0 done, 1 failed, 2 wrong use.
 */
import { withoutPassword } from "../models/host/secrets.ts";
import { hubToken } from "../models/host/token.ts";
import { sizeOfFile, uploadModel } from "../models/host/upload.ts";
import { ForeignHost } from "../models/host/upload_errors.ts";
import { parsePushFlags, type PushFlags } from "./push/flags.ts";
import { planPush, type PushPlan } from "./push/plan.ts";
import { runCommand } from "./shared/command.ts";
import { countOf, formatBytes } from "./shared/format.ts";
import { hubSettings } from "./shared/hub.ts";
import { type Column, renderTable } from "./shared/table.ts";
import { harmless, jsonText, paint, standardOutput } from "./shared/terminal.ts";

const command = "deno task push";
const stdout = standardOutput("stdout");
const stderr = standardOutput("stderr");

/** What is pushed and where to, under the names of `--json`. */
interface PushReport {
  run: string;
  repository: string;
  branch: string;
  /** What was asked; the hub's default otherwise. */
  private: boolean;
  message: string;
  url: string;
  files: { path: string; bytes: number; source: string | null }[];
  bytes: number;
  /** Of the run's folder, not sent. */
  left: string[];
}

async function reportOf(plan: PushPlan, endpoint: string): Promise<PushReport> {
  const { files, card: _card, warnings: _warnings, ...about } = plan;
  const listed = await Promise.all(files.map(async (file) => ({
    path: file.path,
    bytes: await sizeOfFile(file),
    source: "file" in file.content ? file.content.file : null,
  })));
  return {
    ...about,
    url: `${withoutPassword(endpoint)}/${plan.repository}`,
    files: listed,
    bytes: listed.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

const columns: Column[] = [
  { title: "File", shrinks: true },
  { title: "Size", right: true },
  { title: "What" },
];

/** What a file's content is, where it is not a copy. */
function whatOf(path: string, source: string | null, ownCard: boolean): string {
  if (source !== null) return "as it is";
  return path !== "README.md" ? "without paths" : ownCard ? "your card" : "model card";
}

function dryRunLines(report: PushReport, ownCard: boolean, width: number): string[] {
  const { files, left, url, branch, bytes } = report;
  const rows = files.map(({ path, bytes, source }) => [
    path,
    formatBytes(bytes),
    whatOf(path, source, ownCard),
  ]);
  const visibility = report.private ? "private, " : "";
  return [
    `${report.run} to ${url} (${visibility}branch ${branch}): ${countOf(files.length, "file")}, ${
      formatBytes(bytes)
    }`,
    "",
    ...renderTable(columns, rows, width),
    "",
    ...(left.length > 0 ? [`Not sent: ${left.join(", ")}`] : []),
    "Nothing was sent. --show_card prints the model card.",
  ];
}

/** Draws one line for the large file that is on its way, where there is a terminal. */
function showProgress(path: string, share: number): void {
  if (!stderr.terminal) return;
  const line = `${harmless(path)}: ${Math.floor(100 * share)} %`;
  stderr.write(`\r\x1b[K${share < 1 ? line.slice(0, stderr.columns() - 1) : ""}`);
}

async function run(flags: PushFlags): Promise<void> {
  const plan = await planPush(flags);
  for (const warning of plan.warnings) {
    stderr.write(`${paint(stderr, "yellow", "Warning:")} ${harmless(warning)}\n`);
  }
  const settings = hubSettings(stderr);
  const report = await reportOf(plan, settings.endpoint);
  const json = (document: object) => stdout.write(`${jsonText(document)}\n`);
  if (flags.showCard || flags.dryRun) {
    if (flags.json) json({ ...report, card: plan.card });
    else if (flags.showCard) {
      const shown = plan.card.split("\n").map(harmless).join("\n");
      stdout.write(stdout.terminal ? shown : plan.card);
    } else {
      const lines = dryRunLines(report, flags.card !== undefined, stdout.columns());
      stdout.write(`${lines.map(harmless).join("\n")}\n`);
    }
    return;
  }
  const token = await hubToken(settings);
  const { url, commit, created } = await uploadModel(plan, settings, token, showProgress);
  if (flags.json) json({ ...report, url, commit, created });
  else stdout.write(`${url}${created ? " is made and" : ""} holds the run: commit ${commit}\n`);
}

/** What to do where a host is not permitted; all other messages say it themselves. */
function adviceForPush(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    if (at instanceof ForeignHost && at.cause !== undefined) {
      return `If you trust it: deno run -P=push --allow-net cli/push.ts, with the same flags.`;
    }
  }
  return undefined;
}

/** Runs the command; returns its exit code. */
export function main(args: readonly string[]): Promise<number> {
  const options = { stdout, stderr, advice: adviceForPush, escape: harmless };
  return runCommand(parsePushFlags(args), command, run, options);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
