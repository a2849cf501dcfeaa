/** A run merged into its base, and the logits before and after. */
/// <reference lib="dom" />
import { useId, useState } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";
import { canMerge, compareMerged, type Comparison } from "../lab/merged.ts";
import { TaskButton } from "./task.tsx";

export function MergePart({ lab }: { lab: Lab }) {
  const [text, setText] = useState("I miss her every day");
  const [chosen, setChosen] = useState<string>();
  const [found, setFound] = useState<Comparison>();
  const [textId, runId] = [useId(), useId()];
  const runs = lab.runs.filter((run) => canMerge(run) && run.method.method !== "full");
  const run = runs.find(({ name }) => name === chosen) ?? runs.at(-1);
  return (
    <div class="panel">
      <h3>Merge</h3>
      <p>
        W + s · B A is a matrix like W: merged, LoRA costs nothing when it is used, and the logits
        stay what they were, but for rounding.
      </p>
      {run === undefined
        ? (
          <p class="hint">
            <a href="#train">Train</a> a run of LoRA or IA³ first.
          </p>
        )
        : (
          <>
            <div class="fields">
              <div class="field">
                <label for={runId}>Run</label>
                <select
                  id={runId}
                  value={run.name}
                  onChange={({ currentTarget }) => setChosen(currentTarget.value)}
                >
                  {runs.map(({ name }) => <option key={name}>{name}</option>)}
                </select>
              </div>
              <div class="field">
                <label for={textId}>Sentence</label>
                <input
                  id={textId}
                  type="text"
                  value={text}
                  onInput={({ currentTarget }) => setText(currentTarget.value)}
                />
              </div>
            </div>
            <TaskButton
              lab={lab}
              doing="Merging"
              run={async () => setFound(await compareMerged(lab, run, text))}
            >
              Merge
            </TaskButton>
          </>
        )}
      {found && <Logits {...found} />}
    </div>
  );
}

function Logits({ labels, beside, folded, layers }: Comparison) {
  const largest = Math.max(...beside.map((value, index) => Math.abs(value - folded[index])));
  return (
    <>
      <p class="facts" aria-live="polite">
        {layers} linear layers changed; no logit moved by more than{" "}
        <b>{largest.toExponential(1)}</b>.
      </p>
      <div class="scroll" tabIndex={0} role="group" aria-label="Logits">
        <table>
          <thead>
            <tr>
              <th>Label</th>
              <th class="number">Beside the base</th>
              <th class="number">Merged</th>
            </tr>
          </thead>
          <tbody>
            {labels.map((label, index) => (
              <tr key={label}>
                <td>{label}</td>
                <td class="number">{beside[index].toFixed(6)}</td>
                <td class="number">{folded[index].toFixed(6)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}
