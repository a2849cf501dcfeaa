/** A button for what takes the GPU for itself: it says while that lasts, and what went wrong. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";
import { sentenceOf } from "./format.ts";

interface Props {
  lab: Lab;
  /** What the page says it does meanwhile. */
  doing: string;
  children: ComponentChildren;
  disabled?: boolean;
  run(): Promise<void>;
  /** Of what can be stopped on its way. */
  onStop?(): void;
}

export function TaskButton({ lab, doing, children, disabled, run, onStop }: Props) {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<string>();
  const start = async () => {
    if (running) return;
    setRunning(true);
    setProblem(undefined);
    try {
      await lab.alone(doing, run);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setRunning(false);
  };
  return (
    <>
      <p class="actions">
        <button
          type="button"
          class="main"
          disabled={disabled || (lab.isTaken && !running)}
          aria-disabled={running} // it keeps the keyboard's focus
          onClick={start}
        >
          {children}
        </button>
        {running && onStop && <button type="button" onClick={onStop}>Stop</button>}
        <span class="hint" role="status">
          {running ? `${doing} …` : lab.active ? "The GPU trains; stop that first." : ""}
        </span>
      </p>
      {problem && <p class="problem" role="alert">{problem}</p>}
    </>
  );
}
