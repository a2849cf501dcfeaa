/** The signals by which a user or the system asks a program to end. */

/** A wish to stop, and the exit code that tells of it. */
export interface Stop {
  /** As a user knows it. */
  signal: string;
  exitCode: number;
}

const stops = {
  SIGINT: { signal: "Ctrl-C", exitCode: 130 },
  SIGTERM: { signal: "SIGTERM", exitCode: 143 },
  SIGHUP: { signal: "SIGHUP", exitCode: 129 }, // the terminal was closed
  SIGUSR2: { signal: "SIGUSR2", exitCode: 140 }, // of mpirun and schedulers; at SIGUSR1 Deno opens its debugger
} as const;

/**
 * Signals so soon after one are the same wish: under mpirun a rank gets what its group got, and up to 0.3 s later what
 * `deno task` hands on of it.
 */
const sameWish = 500; // ms

/** Calls `onStop` for each such wish; the signals end the program no more by themselves. */
export function onSignals(onStop: (stop: Stop) => void): void {
  let last = -Infinity;
  const wish = (stop: Stop) => {
    const now = performance.now();
    const isNew = now - last > sameWish;
    last = now;
    if (isNew) onStop(stop);
  };
  for (const [name, stop] of Object.entries(stops)) {
    if (Deno.build.os === "windows" && /TERM|USR2/.test(name)) continue; // not known there
    Deno.addSignalListener(name as keyof typeof stops, () => wish(stop));
  }
}
