/** What each run makes of each label, and the sentences that the best run got most wrong. */
import { confusionChart, confusionList } from "../charts/classes.ts";
import { formatCount } from "../../shared/format.ts";
import { figure, shortened } from "../figure.ts";
import { type Html, markup } from "../html.ts";
import type { Comparison, ShownRun } from "../model.ts";
import { dataTable, sortableTable } from "../tables.ts";

const decimals = (value: number) => value.toFixed(3);

/** A cell whose ground says how high a share is. */
const shaded = (value: number) =>
  markup`<span class="shade" style="--share:${value.toFixed(3)}">${decimals(value)}</span>`;

/** F1 of each label by run, where the runs have the same labels. */
function f1Table({ title, runs }: Comparison): Html | undefined {
  const labels = runs[0].fields.test.per_class.map(({ label }) => label);
  const alike = runs.every(({ fields: { test } }) =>
    test.per_class.length === labels.length &&
    test.per_class.every(({ label }, index) => label === labels[index])
  );
  if (labels.length === 0 || !alike || runs.length === 1) return undefined;
  const columns = [
    { title: "Label" },
    { title: "Test rows", right: true },
    ...runs.map(({ name }) => ({ title: shortened(name, 60), right: true })),
  ];
  const rows = labels.map((label, index) => {
    const scores = runs.map(({ fields: { test } }) => test.per_class[index]);
    return {
      cells: [
        { by: label, content: shortened(label, 80) },
        { by: scores[0].support, content: formatCount(scores[0].support) },
        ...scores.map(({ f1 }) => ({ by: f1, content: shaded(f1) })),
      ],
    };
  });
  const caption = "F1 of each label by run.";
  return markup`<div class="grid-table">${
    sortableTable(caption, `F1: ${title}`, columns, rows)
  }</div>`;
}

/** A run's confusion matrix and scores by label, folded unless it is the best. */
function runDetails(run: ShownRun, open: boolean): Html | undefined {
  const { test } = run.fields;
  if (test.per_class.length === 0) return undefined;
  const chart = confusionChart(run);
  const list = confusionList(run);
  const columns = [
    { title: "Label" },
    { title: "F1", right: true },
    { title: "Precision", right: true },
    { title: "Recall", right: true },
    { title: "Rows", right: true },
  ];
  const rows = test.per_class.map(({ label, precision, recall, f1, support }) => ({
    cells: [
      { by: label, content: shortened(label, 80) },
      { by: f1, content: shaded(f1) },
      { by: precision, content: decimals(precision) },
      { by: recall, content: decimals(recall) },
      { by: support, content: formatCount(support) },
    ],
  }));
  return markup`
    <details class="run" ${
    open && markup`
      open
    `
  }>
      <summary><strong>${run.name}</strong> <span>accuracy ${
    decimals(
      test.accuracy,
    )
  }, macro F1 ${decimals(test.macro_f1)}</span></summary>
      <div class="pair">${chart && figure(chart)}${
    list && dataTable(list, `Most often wrong: ${run.name}`)
  }${
    sortableTable(
      "Scores of each label.",
      `Labels: ${run.name}`,
      columns,
      rows,
    )
  }</div>
    </details>
  `;
}

export function classesSection(comparison: Comparison): Html {
  const { runs, best } = comparison;
  const details = runs.map((run, index) => runDetails(run, index === best));
  if (details.every((each) => each === undefined)) return markup``;
  return markup`<h3>Labels</h3>${f1Table(comparison)}${details}`;
}

/** So many sentences are shown. */
const mostSentences = 12;

/** The sentences whose own label the best run gave the least probability. */
export function sentencesSection({ runs, best }: Comparison): Html {
  const { name, predictions } = runs[best];
  const wrong = predictions.filter(({ label, predicted }) => label !== predicted)
    .sort((a, b) => a.probability - b.probability);
  if (predictions.length === 0) return markup``;
  if (wrong.length === 0) {
    return markup`
      <h3>Sentences</h3>
      <p>${name} labels every test sentence right.</p>
    `;
  }
  const items = wrong.slice(0, mostSentences).map(({ row, label, predicted, ...told }) =>
    markup`
      <li>
        <blockquote dir="auto">${told.text}</blockquote>
        <p>${
      row !== null && markup`
          <span>row ${row}</span>
        `
    }<span>labelled <b>${label}</b> <small>${
      decimals(
        told.probability,
      )
    }</small></span> <span>taken for <b>${predicted}</b> <small>${
      decimals(
        told.confidence,
      )
    }</small></span></p>
      </li>
    `
  );
  return markup`
    <h3>Sentences that ${name} got most wrong</h3>
    <p
      class="hint">Of ${
    formatCount(
      wrong.length,
    )
  } that it got wrong, those whose own label it thought least likely, with both probabilities.</p>
    <ol class="sentences">${items}</ol>
  `;
}
