/** A run's place among those of a command, and how far all of them have come. */
import { formatDuration } from "../shared/format.ts";
import { renderBar } from "./curve.ts";

export interface Place {
  /** `2 of 7`, and once a run has told, how long all are going to take. */
  text: string;
  /** All runs as a bar and the time left, where this one has come to `share`; "" where it is alone. */
  whole(share: number): string;
}

/** Cells of the bar. */
const cells = 7;

/** Places of several runs, by what those before took; `now` gives seconds. */
export function createPace(runs: number, now = () => performance.now() / 1000) {
  const started = now();
  let done = 0;
  const left = (finished: number) => {
    if (done === 0) return "";
    const seconds = (now() - started) / finished * (runs - finished);
    return `${formatDuration(seconds)} left in all`;
  };
  return {
    done: () => void done++,
    /** Of the run at `index`; `runs` before it may have been done by an earlier command. */
    placeOf(index: number, all: number): Place {
      const time = left(done);
      return {
        text: `${index + 1} of ${all}${time && `, about ${time}`}`,
        whole(share) {
          if (all < 2) return "";
          const time = left(done + share);
          return `${index + 1} of ${all} ${renderBar((index + share) / all, cells)}` +
            (time && ` ${time}`);
        },
      };
    },
  };
}
