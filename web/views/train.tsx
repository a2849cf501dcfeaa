/** Train here, now. */
import { useState } from "preact/hooks";
import type { Training } from "../lab/training.ts";
import { BasePicker } from "./base_picker.tsx";
import { Chart } from "./chart.tsx";
import { looksOf } from "./colours.ts";
import { DataPicker } from "./data_picker.tsx";
import { count, decimal, seconds } from "./format.ts";
import { type PartProps, useLab } from "./hooks.ts";
import { Progress } from "./progress.tsx";
import { Settings } from "./settings.tsx";

export function TrainView({ lab, shown }: PartProps) {
  useLab(lab, shown);
  const { trainings } = lab;
  const watched = lab.active ?? trainings.at(-1);
  return (
    <section aria-labelledby="train-title">
      <h2 id="train-title">Train here, now</h2>
      <p class="lead">
        A BERT is fine-tuned on your own GPU, by the kernels and the trainer of the command line.
        {" "}
        <b>Nothing leaves this page:</b>{" "}
        sentences, labels and weights stay in this browser. The page's own policy forbids it to talk
        to anyone but the server it came from and, where you name a model or a data set of the hub,
        to huggingface.co, which is told that name and nothing of yours.
      </p>
      <div class="pair">
        <div class="column">
          <BasePicker lab={lab} />
          <DataPicker lab={lab} />
        </div>
        <Settings lab={lab} onTrain={(...asked) => void lab.train(...asked)} />
      </div>
      {watched && <Progress training={watched} lab={lab} />}
      {trainings.length > 0 && lab.keeper.problem && (
        <p class="problem" role="alert">
          {lab.keeper.problem} What was trained is in this tab until it is closed:{" "}
          <a href="#use">download it</a>.
        </p>
      )}
      {trainings.length > 0 && <Curves trainings={trainings} />}
      {trainings.length > 0 && <Table trainings={trainings} />}
    </section>
  );
}

function Curves({ trainings }: { trainings: readonly Training[] }) {
  const looks = looksOf(trainings.map(({ options: { method } }) => method.method));
  const longest = Math.max(...trainings.map(({ start }) => start?.totalSteps ?? 0));
  const series = (points: (training: Training) => { x: number; y: number }[], dots = false) =>
    trainings.map((training, index) => ({
      name: training.options.name,
      ...looks[index],
      points: points(training),
      dots,
    }));
  const validations = ({ evaluations }: Training) =>
    evaluations.filter(({ split }) => split === "validation");
  return (
    <div class="charts">
      <Chart
        title="Training loss"
        hint="Cross-entropy of each step's sentences."
        longest={longest}
        series={series(({ steps }) => steps.map(({ step, loss }) => ({ x: step, y: loss })))}
      />
      <Chart
        title="Validation macro F1"
        hint="On sentences that are not trained on."
        longest={longest}
        from={[0, 1]}
        series={series(
          (training) =>
            validations(training).map(({ step, metrics }) => ({ x: step, y: metrics.macroF1 })),
          true,
        )}
      />
    </div>
  );
}

function Table({ trainings }: { trainings: readonly Training[] }) {
  const [open, setOpen] = useState(true);
  const secondsOf = ({ steps }: Training) => {
    const last = steps.at(-1);
    const tokens = steps.reduce((sum, step) => sum + step.tokens, 0);
    return last ? seconds(tokens / last.tokensPerSecond) : "–";
  };
  return (
    <details open={open} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>Runs</summary>
      <div class="scroll" tabIndex={0} role="group" aria-label="Runs">
        <table class="sheet">
          <thead>
            <tr>
              <th>Run</th>
              <th class="number">Trainable</th>
              <th class="number">Steps</th>
              <th class="number">Training</th>
              <th class="number">Test accuracy</th>
              <th class="number">Test macro F1</th>
            </tr>
          </thead>
          <tbody>
            {trainings.map((training) => {
              const { options: { name }, start, steps, trained } = training;
              return (
                <tr key={name}>
                  <th>{name}</th>
                  <td class="number">{start ? count(start.trainableParameters) : "–"}</td>
                  <td class="number">{count(steps.length)}</td>
                  <td class="number">{secondsOf(training)}</td>
                  <td class="number">{decimal(trained?.test?.accuracy)}</td>
                  <td class="number">{decimal(trained?.test?.macroF1)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
    </details>
  );
}
