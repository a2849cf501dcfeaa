/** The report as one HTML file that asks the network for nothing. */
import { createHash } from "node:crypto";
import { curveCharts } from "./charts/curves.ts";
import { costCharts } from "./charts/costs.ts";
import { dataCharts } from "./charts/data.ts";
import { scoreCharts, searchChart } from "./charts/scores.ts";
import { colourRules, looksOf } from "./colours.ts";
import { countOf, formatAdapter, formatCount } from "../shared/format.ts";
import { beginPage, type Chart, figure } from "./figure.ts";
import { Html, markup } from "./html.ts";
import { type Comparison, type Report, testCount } from "./model.ts";
import script from "./page.js" with { type: "text" };
import { classesSection, sentencesSection } from "./sections/classes.ts";
import { methodsSection } from "./sections/methods.ts";
import { legend, runsTable } from "./sections/runs.ts";
import { settingsSection, trainingCommands } from "./sections/settings.ts";
import { style } from "./style.ts";

/** Nothing is fetched, and no script runs but the page's own, whatever the files hold. */
const policy = `default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-${
  createHash("sha256").update(script).digest("base64")
}'`;

function chartsSection(title: string, charts: readonly Chart[], columns: 2 | 3): Html {
  if (charts.length === 0) return markup``;
  return markup`<h3>${title}</h3><div class="charts of-${columns}">${charts.map(figure)}</div>`;
}

/** What was compared, in a line. */
function about({ runs }: Comparison): Html {
  const [{ fields }] = runs;
  const { dataset: { split }, test } = fields;
  const adapters = new Set(
    runs.flatMap(({ fields: { adapter } }) => adapter ? [formatAdapter(adapter)] : []),
  );
  const finished = runs.flatMap(({ fields }) => fields.finished ?? []).sort().at(-1);
  const tested = testCount(runs[0]);
  const parts = [
    countOf(runs.length, "run"),
    split === undefined
      ? tested !== undefined && countOf(tested, "test sentence")
      : `${formatCount(split.train)} training, ${formatCount(split.validation)} validation and ${
        formatCount(split.test)
      } test sentences`,
    test.per_class.length > 0 && countOf(test.per_class.length, "label"),
    adapters.size === 1 && [...adapters][0],
    finished !== undefined && finished.slice(0, 10),
  ].filter((part) => part !== false);
  return markup`<p class="about">${
    parts.map((part) =>
      markup`
        <span>${part}</span>
      `
    )
  }</p>`;
}

function comparisonSection(comparison: Comparison, index: number, alone: boolean): Html {
  const { title, runs, verdict, notes } = comparison;
  const looks = looksOf(runs);
  const id = `comparison-${index + 1}`;
  const [first, ...rest] = verdict.sentences;
  return markup`<section id="${id}" class="comparison">
${colourRules(`#${id}`, runs)}
<h2${alone && markup` class="hidden"`}>${title}</h2>
${about(comparison)}
<p class="verdict">${first} <span>${rest.join(" ")}</span></p>
${
    notes.length > 0 &&
    markup`<ul class="notes">${notes.map((note) => markup`<li>${note}</li>`)}</ul>`
  }
<h3>Runs</h3>${runsTable(comparison)}
${runs.length > 1 && legend(comparison, looks)}
${methodsSection(comparison)}
${chartsSection("Scores", scoreCharts(comparison, looks), 2)}
${chartsSection("Learning rates", comparison.searches.map(searchChart), 2)}
${chartsSection("Curves", curveCharts(runs, looks), 2)}
${chartsSection("Cost", costCharts(runs, looks), 3)}
${classesSection(comparison)}
${sentencesSection(comparison)}
${chartsSection("Data", dataCharts(runs[0]), 2)}
${settingsSection(comparison)}
</section>`;
}

/** Commands that make everything again. */
function againSection({ comparisons }: Report, command: string): Html {
  const trained = trainingCommands(comparisons.flatMap(({ runs }) => runs));
  return markup`
    <section>
      <h2>Make it again</h2>
      <p>The runs:</p>
      <pre>${trained.map((line) => markup`<code>${line}</code>`)}</pre>
      <p>This page, from their folders:</p>
      <pre><code>${command}</code></pre>
    </section>
  `;
}

function problemsSection(problems: readonly string[]): Html {
  if (problems.length === 0) return markup``;
  return markup`
    <section>
      <h2>Left out</h2>
      <ul>${problems.map((problem) => markup`<li>${problem}</li>`)}</ul>
    </section>
  `;
}

/** The page of a report; `command` makes it again. The same report makes the same page. */
export function page(report: Report, command: string): string {
  beginPage();
  const { title, comparisons, problems } = report;
  const alone = comparisons.length === 1;
  const links = comparisons.map(({ title, runs }, index) =>
    markup`<li><a href="#comparison-${index + 1}">${title}</a>, ${countOf(runs.length, "run")}</li>`
  );
  return markup`
    <!DOCTYPE html>
    <html lang="en">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <meta http-equiv="Content-Security-Policy" content="${policy}">
        <title>${title}</title>
        <link rel="icon" href="data:,">
        <style>${new Html(style)}</style>
      </head>
      <body>
        <main>
    <header><h1>${title}</h1>${
    !alone && markup`
      <nav aria-label="Comparisons">
        <ul>${links}</ul>
      </nav>
    `
  }</header>
    ${comparisons.map((comparison, index) => comparisonSection(comparison, index, alone))}
    ${againSection(report, command)}
    ${problemsSection(problems)}
        </main>
        <script>${new Html(script)}</script>
      </body>
    </html>
  `.text.trimStart();
}
