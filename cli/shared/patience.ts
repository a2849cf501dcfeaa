/**
 * How Dawn waits for the GPU. While anything is pending, npm's `webgpu` asks the GPU in one `setImmediate` after the other,
 * some 100 times in a millisecond, and makes a native function for each. Deno takes what belongs to such a function out of
 * one list by walking it (CONTRIBUTING.md, "Reports to upstream"): after seconds of waiting, as for Mesa's compiler, the
 * garbage collector would be busy for many minutes.
 */
import { setImmediate } from "node:timers";

type Callback = (...args: unknown[]) => void;

/** Callbacks that have been asked for and have not run. */
let pending = 0;

/** Makes whoever calls `setImmediate` from within its own callback, again and again, wait ever longer; others as ever. */
export function paceImmediates(): void {
  /** When the chain began whose callback is running. */
  let began: number | undefined;
  const paced = (callback: Callback, ...args: unknown[]) => {
    const since = began ?? performance.now();
    const run = () => {
      pending--;
      began = since;
      try {
        callback(...args);
      } finally {
        began = undefined;
      }
    };
    pending++;
    const pause = pauseAfter(performance.now() - since);
    if (pause >= 1) return setTimeout(run, pause);
    return setImmediate(() => {
      if (pause > 0) Atomics.wait(never, 0, 0, pause);
      run();
    });
  };
  Object.defineProperty(globalThis, "setImmediate", {
    value: paced,
    configurable: true,
    writable: true,
  });
}

/** Nobody changes it or wakes who waits for it: a sleep shorter than a timer's least. */
const never = new Int32Array(new SharedArrayBuffer(4));

/**
 * Milliseconds to the next question after so many of waiting: a quarter of these, but 1 to 16 after the first
 * few, and a sixteenth between: what is awaited is seen 6 % late, in 10 ms after some 30 questions.
 */
export function pauseAfter(waited: number): number {
  return Math.min(Math.max(Math.min(waited / 4, 1), waited / 16), 16);
}

/** Waits until Dawn waits for nothing more: it ends the process where a promise of its goes unsettled with its thread. */
export async function untilIdle(): Promise<void> {
  while (pending > 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
