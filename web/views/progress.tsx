/** A training while it runs: how far, how fast, in how much memory; and the buttons that hold and end it. */
/// <reference lib="dom" />
import { useRef } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";
import type { Phase, Training } from "../lab/training.ts";
import { formatRate } from "../../models/numbers.ts";
import { bytes, count, decimal, sentenceOf } from "./format.ts";
import { useFocusKept } from "./hooks.ts";

const phases: Record<Phase, string> = {
  preparing: "Compiling kernels …",
  training: "Training",
  holding: "Pausing after this step …",
  held: "Paused",
  stopping: "Stopping after this step …",
  stopped: "Stopped",
  done: "Done",
  failed: "Failed",
};

export function Progress({ training, lab }: { training: Training; lab: Lab }) {
  const { phase, steps, start, options, error, heldBytes } = training;
  const last = steps.at(-1);
  const total = start?.totalSteps ?? 0;
  const { info } = lab.device;
  const facts: [string, string][] = [
    ["Step", last ? `${count(last.step)} of ${count(total)}` : "–"],
    ["Epoch", last ? String(last.epoch) : "–"],
    ["Loss", decimal(last?.loss)],
    ["Learning rate", last ? formatRate(last.learningRate) : "–"],
    ["Tokens a second", last ? count(Math.round(last.tokensPerSecond)) : "–"],
    ["GPU memory", heldBytes > 0 ? bytes(heldBytes) : "–"],
    ["GPU", info.description],
  ];
  const title = useRef<HTMLHeadingElement>(null);
  const focus = useFocusKept(title);
  return (
    <div class="panel" {...focus}>
      <h3 ref={title} tabIndex={-1}>
        {options.name} <span class="phase" role="status">{phases[phase]}</span>
      </h3>
      <progress
        max={Math.max(total, 1)}
        value={phase === "done" ? Math.max(total, 1) : last?.step ?? 0}
        aria-label="Steps"
      />
      <dl class="figures">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      {start?.warnings.map((warning) => <p key={warning} class="note">{warning}</p>)}
      {error !== undefined && <p class="problem" role="alert">{sentenceOf(error)}</p>}
      <p class="actions">
        {(phase === "training" || phase === "preparing") && (
          <button
            type="button"
            onClick={() => training.hold()}
          >
            Pause
          </button>
        )}
        {(phase === "held" || training.canGoOn) && (
          <button
            type="button"
            class="main"
            disabled={training.canGoOn && lab.isTaken}
            onClick={() => training.goOn()}
          >
            Go on
          </button>
        )}
        {training.isActive && (
          <button
            type="button"
            disabled={phase === "stopping"}
            onClick={() => training.stop()}
          >
            Stop
          </button>
        )}
      </p>
    </div>
  );
}
