/** Training as it is watched: one redrawn line on a terminal, plain lines in a pipe. */
import type { EvaluationEvent, StartEvent, TrainingEvent } from "../../models/training/events.ts";
import {
  countOf,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatShort,
} from "../shared/format.ts";
import { type Output, paint, wrap } from "../shared/terminal.ts";
import { renderBar, renderCurve } from "./curve.ts";
import type { Place } from "./place.ts";

/** What the line shows. */
export interface ProgressState {
  run: string;
  /** How far all runs have come; none for one alone. */
  whole?: string;
  step: number;
  totalSteps: number;
  loss: number;
  learningRate: number;
  tokensPerSecond: number;
  secondsLeft: number;
}

const gap = "  ";
const shortestBar = 10;
const longestBar = 30;

/**
 * The line at a width: step, loss and time left first, then learning rate, tokens a second, a bar,
 * the run's name and how far all runs have come, as far as they fit. Numbers are padded so that the bar stands still. Never longer
 * than `width`.
 */
export function renderProgress(state: ProgressState, width: number): string {
  const total = String(state.totalSteps);
  const parts = {
    run: state.run,
    step: `${String(state.step).padStart(total.length)}/${total}`,
    loss: `loss ${state.loss.toFixed(4)}`,
    rate: `lr ${formatRate(state.learningRate).padEnd(7)}`,
    tokens: `${formatShort(state.tokensPerSecond).padStart(4)} tok/s`,
    left: `${formatDuration(state.secondsLeft).padStart(6)} left`,
    bar: " ".repeat(shortestBar + 2),
    whole: state.whole ?? "",
  };
  type Part = keyof typeof parts;
  const shown = new Set<Part>();
  let room = width + gap.length;
  for (
    const name of ["step", "loss", "left", "rate", "tokens", "bar", "run", "whole"] satisfies Part[]
  ) {
    if (parts[name] === "") continue;
    const needed = gap.length + parts[name].length;
    if (needed > room) continue;
    shown.add(name);
    room -= needed;
  }
  const cells = shortestBar + Math.min(room, longestBar - shortestBar);
  parts.bar = renderBar(state.step / Math.max(1, state.totalSteps), cells);
  return (["run", "bar", "step", "loss", "rate", "tokens", "left", "whole"] satisfies Part[])
    .filter((name) => shown.has(name)).map((name) => parts[name]).join(gap);
}

/** A line of an evaluation: of which epoch or step, split, loss, accuracy, macro F1. */
function evaluationLine(
  event: EvaluationEvent,
  { totalSteps, stepsPerEpoch }: StartEvent,
  bySteps: boolean,
): string {
  const { metrics, split } = event;
  const where = bySteps
    ? `step ${event.step}/${totalSteps}`
    : `epoch ${event.epoch}/${Math.ceil(totalSteps / stepsPerEpoch)}`;
  return `  ${where}  ${split} loss ${metrics.loss.toFixed(4)}${gap}accuracy ${
    metrics.accuracy.toFixed(4)
  }${gap}macro F1 ${metrics.macroF1.toFixed(4)}${
    split === "validation" && event.best ? "  best" : ""
  }`;
}

/** A run's losses in a line, from the first to the last. */
function lossLine(losses: readonly number[], columns: number): string {
  const [first, last] = [losses[0], losses.at(-1)!].map((loss) => loss.toFixed(4));
  return `  loss ${first} ${renderCurve(losses, Math.min(40, columns - 26))} ${last}`;
}

/** A plain line comes at every twentieth of a run, and after this many seconds without one. */
const plainSeconds = 30;

/** One redrawn line on a terminal, plain lines in a pipe. */
export interface StepDisplay {
  /** Starts the clock of a run of so many steps, of which `from` are made. */
  begin(totalSteps: number, from: number): void;
  step(state: Omit<ProgressState, "secondsLeft" | "totalSteps">): void;
  /** A line that stays. */
  say(text: string): void;
  /** Clears the redrawn line, before other text or at the end. */
  clear(): void;
}

/** Shows steps as they come; `now` gives seconds. With `rarely`, a pipe hears of them every half minute only. */
export function stepDisplay(
  output: Output,
  rarely = false,
  now = () => performance.now() / 1000,
): StepDisplay {
  let run = { totalSteps: 1, from: 0, startedAt: 0 };
  let drawn = false;
  let lastPlain = 0;
  let lastTwentieth = 0;

  const clear = () => {
    if (drawn) output.write("\r\x1b[K");
    drawn = false;
  };
  const say = (text: string) => {
    clear();
    output.write(`${text}\n`);
  };

  return {
    clear,
    say,
    begin(totalSteps, from) {
      run = { totalSteps, from, startedAt: now() };
      lastPlain = run.startedAt;
      lastTwentieth = Math.floor((20 * from) / totalSteps);
    },
    step(made) {
      const { totalSteps, from, startedAt } = run;
      const perStep = (now() - startedAt) / (made.step - from);
      const state = { ...made, totalSteps, secondsLeft: perStep * (totalSteps - made.step) };
      if (output.terminal) {
        // One column stays free: a full last column makes some terminals wrap.
        output.write(`\r\x1b[K${renderProgress(state, output.columns() - 1)}`);
        drawn = true;
        return;
      }
      const twentieth = Math.floor((20 * state.step) / totalSteps);
      const isNew = !rarely && (twentieth !== lastTwentieth || state.step === 1);
      if (!isNew && now() - lastPlain < plainSeconds) return;
      lastTwentieth = twentieth;
      lastPlain = now();
      say(
        `${state.run} step ${state.step}/${totalSteps}  loss ${state.loss.toFixed(4)}  ` +
          `lr ${formatRate(state.learningRate)}  ${formatShort(state.tokensPerSecond)} tok/s  ` +
          `${formatDuration(state.secondsLeft)} left`,
      );
    },
  };
}

export interface Progress {
  show(event: TrainingEvent): void;
  /** Clears the redrawn line, before other text or at the end. */
  clear(): void;
}

/**
 * Draws the events of one run after another. `now` gives seconds; `from` is the step at which it goes on; `bySteps`, whether evaluations go by steps rather than epochs.
 */
export function createProgress(
  output: Output,
  options: {
    place: Place;
    bySteps?: boolean;
    from?: number;
    onlyLine?: boolean;
    now?: () => number;
  },
): Progress {
  const { from = 0, onlyLine, now } = options;
  const { say, step, clear, begin } = stepDisplay(output, onlyLine, now);
  let start: StartEvent | undefined;
  const losses: number[] = [];

  function introduce(event: StartEvent): void {
    start = event;
    begin(event.totalSteps, from);
    if (onlyLine) return;
    const percent = formatPercent((100 * event.trainableParameters) / event.totalParameters);
    say(paint(output, "bold", `${event.run} (${options.place.text})`));
    say(
      `  ${formatCount(event.trainableParameters)} of ${formatCount(event.totalParameters)} ` +
        `parameters train (${percent}), ${countOf(event.totalSteps, "step")}` +
        (from > 0 ? `, going on after step ${formatCount(from)}` : ""),
    );
    for (const warning of event.warnings) {
      for (const line of wrap(`Warning: ${warning}`, 76)) say(paint(output, "yellow", `  ${line}`));
    }
  }

  return {
    clear,
    show(event) {
      if (event.type === "start") return introduce(event);
      if (event.type === "checkpoint") return;
      if (start === undefined) throw new Error("A step came before the run's start.");
      if (event.type === "evaluation") {
        return say(evaluationLine(event, start, options.bySteps ?? false));
      }
      if (event.type === "done") {
        const { stoppedEarly, totalSteps } = event.result;
        if (losses.length > 1) say(lossLine(losses, output.columns()));
        if (stoppedEarly) {
          say(`  stopped early, after ${totalSteps} of ${countOf(start.totalSteps, "step")}`);
        }
        return clear();
      }
      losses.push(event.loss);
      const whole = options.place.whole(event.step / start.totalSteps);
      step({ ...event, run: start.run, whole });
    },
  };
}
