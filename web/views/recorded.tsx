/** Recorded runs, drawn as those that are trained here. */
import { useEffect, useState } from "preact/hooks";
import type { RecordedRun, Recording } from "../lab/recorded.ts";
import { fetchFile } from "../site.ts";
import { Chart } from "./chart.tsx";
import { looksOf } from "./colours.ts";
import { count, decimal } from "./format.ts";

export function Recorded() {
  const [recording, setRecording] = useState<Recording>();
  useEffect(() => {
    fetchFile("recorded.json").then(async (file) => setRecording(JSON.parse(await file.text())))
      .catch(() => {}); // what to do without a GPU is said all the same
  }, []);
  if (!recording) return null;
  const { runs, command, adapter } = recording;
  const looks = looksOf(runs.map(({ method }) => method));
  const longest = Math.max(...runs.flatMap(({ loss }) => loss.map(([step]) => step)));
  const series = (points: (run: RecordedRun) => RecordedRun["loss"], dots = false) =>
    runs.map((run, index) => ({
      name: run.name,
      ...looks[index],
      points: points(run).map(([x, y]) => ({ x, y })),
      dots,
    }));
  return (
    <section aria-labelledby="recorded">
      <h2 id="recorded">What it would look like</h2>
      <p class="lead">
        Recorded on {adapter}, with <code>{command}</code>:
      </p>
      <div class="charts">
        <Chart title="Training loss" longest={longest} series={series(({ loss }) => loss)} />
        <Chart
          title="Validation macro F1"
          longest={longest}
          from={[0, 1]}
          series={series(({ macroF1 }) => macroF1, true)}
        />
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-label="Recorded runs">
        <table class="sheet">
          <thead>
            <tr>
              <th>Run</th>
              <th class="number">Trainable</th>
              <th class="number">Test accuracy</th>
              <th class="number">Test macro F1</th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.name}>
                <th>{run.name}</th>
                <td class="number">{count(run.trainable)}</td>
                <td class="number">{decimal(run.test.accuracy)}</td>
                <td class="number">{decimal(run.test.macroF1)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
