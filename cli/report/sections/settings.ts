/** How the runs came about: hyperparameters, machine, versions, and the commands that make all of it again. */
import { countOf, formatAdapter, formatRate } from "../../shared/format.ts";
import { type Content, type Html, markup } from "../html.ts";
import type { Comparison, ShownRun } from "../model.ts";
import { quoted } from "../../shared/shell.ts";
import { dataTable } from "../tables.ts";

type Setting = ShownRun["fields"]["settings"][string];

function shown(name: string, value: Setting | undefined): string {
  if (value === undefined) return "–";
  return name.endsWith("rate") && typeof value === "number" ? formatRate(value) : String(value);
}

/** Each thing once, however many runs say it. */
const distinct = (runs: readonly ShownRun[], told: (run: ShownRun) => string | undefined) => [
  ...new Set(runs.flatMap((run) => told(run) ?? [])),
];

const facts = (rows: readonly (readonly [string, Content])[]) =>
  markup`<dl>${
    rows.map(([name, value]) =>
      markup`
        <div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>
      `
    )
  }</dl>`;

/** Words as a shell takes them. */
export const shellWords = (words: readonly string[]) => words.map((word) => quoted(word)).join(" ");

const rankText = ({ size, hosts, library }: NonNullable<ShownRun["fields"]["ranks"]>) =>
  `${countOf(size, "rank")} on ${countOf(hosts, "host")} (${library})`;

function machineFacts(runs: readonly ShownRun[]): [string, string][] {
  const rows: [string, string[]][] = [
    ["GPU", distinct(runs, ({ fields: { adapter } }) => adapter && formatAdapter(adapter))],
    ["Ranks", distinct(runs, ({ fields: { ranks } }) => ranks && rankText(ranks))],
    ["Platform", distinct(runs, ({ fields }) => fields.versions.platform)],
    ["Deno", distinct(runs, ({ fields }) => fields.versions.deno)],
    ["This program", distinct(runs, ({ fields }) => fields.versions.project)],
    [
      "Model",
      distinct(
        runs,
        ({ fields: { model } }) =>
          `${model.name}${model.random_start ? " (weights start at random)" : ""}`,
      ),
    ],
  ];
  return rows.filter(([, values]) => values.length > 0)
    .map(([name, values]) => [name, values.join("; ")]);
}

/** What a method was told, without what is off. */
function describeSettings(settings: ShownRun["fields"]["settings"]): string {
  return Object.entries(settings)
    .filter(([, value]) => value !== false && value !== "" && value !== null)
    .map(([name, value]) => value === true ? name : `${name} ${shown(name, value)}`)
    .join(", ");
}

export function settingsSection({ runs, differences }: Comparison): Html {
  const differing = new Set(differences.map(({ name }) => name));
  const shared = Object.entries(runs[0].fields.hyperparameters)
    .filter(([name]) => !differing.has(name));
  const byRun = runs.map(({ name, fields: { settings } }, index) => [
    name,
    ...differences.map((difference) => shown(difference.name, difference.values[index])),
    describeSettings(settings) || "–",
  ]);
  const columns = [
    { title: "Run" },
    ...differences.map(({ name }) => ({ title: name, right: true })),
    { title: "Method’s own settings" },
  ];
  const all = shared.length > 0 &&
    markup`<div><h4>Hyperparameters${runs.length > 1 && " of all runs"}</h4>${
      facts(shared.map(([name, value]) => [name, shown(name, value)]))
    }</div>`;
  const machine = machineFacts(runs);
  const made = machine.length > 0 &&
    markup`<div><h4>Machine and versions</h4>${facts(machine)}</div>`;
  return markup`<h3>Settings</h3><div class="pair">${all}${made}</div>
<h4>By run</h4><div class="settings">${
    dataTable({ columns, rows: byRun }, "Settings by run")
  }</div>`;
}

/** The commands that trained the runs, each once. */
export function trainingCommands(runs: readonly ShownRun[]): string[] {
  return distinct(
    runs,
    ({ fields: { command, finished } }) =>
      command.length > 0 || finished !== undefined
        ? shellWords(["deno", "task", "train", ...command])
        : undefined,
  );
}
