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
}

export function TaskButton({ lab, doing, children, disabled, run }: Props) {
  const [running, setRunning] = useState(false);
  const [problem, setProblem] = useState<string>();
  const start = async () => {
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
        <button type="button" class="main" disabled={disabled || lab.isTaken} onClick={start}>
          {children}
        </button>
        <span class="hint" role="status">
          {running ? `${doing} …` : lab.active ? "The GPU trains; stop that first." : ""}
        </span>
      </p>
      {problem && <p class="problem" role="alert">{problem}</p>}
    </>
  );
}
