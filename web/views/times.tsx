/** What a step takes, and which kernels it spends that on: LoRA, an adapter and full side by side. */
import type { StepTimes } from "../lab/step_times.ts";
import { looksOf } from "./colours.ts";
import { count } from "./format.ts";

/** Kernels that are shown of a step; the rest are one bar. */
const mostKernels = 9;

export function TimesTable({ times }: { times: readonly StepTimes[] }) {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Steps">
      <table class="sheet">
        <thead>
          <tr>
            <th>Run</th>
            <th class="number">Tokens</th>
            <th class="number">Launches</th>
            <th class="number">ms a step</th>
            <th class="number">Tokens a second</th>
          </tr>
        </thead>
        <tbody>
          {times.map(({ run, tokens, launches, milliseconds, tokensPerSecond }) => (
            <tr key={run}>
              <th>{run}</th>
              <td class="number">{count(tokens)}</td>
              <td class="number">{count(launches)}</td>
              <td class="number">{milliseconds.toFixed(1)}</td>
              <td class="number">{count(Math.round(tokensPerSecond))}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The kernels of one step as bars, on a scale that several share. */
export function KernelBars({ times, scale }: { times: StepTimes; scale: number }) {
  const { run, kernels = [] } = times;
  const rest = kernels.slice(mostKernels);
  const sum = (each: typeof kernels) => each.reduce((ms, { milliseconds }) => ms + milliseconds, 0);
  const shown = [
    ...kernels.slice(0, mostKernels),
    ...rest.length > 0
      ? [{
        kernel: `${rest.length} others`,
        launches: rest.reduce((all, { launches }) => all + launches, 0),
        milliseconds: sum(rest),
      }]
      : [],
  ];
  const [{ colour }] = looksOf([run.split("-")[0]]);
  return (
    <article class="card wide" style={`--bar: ${colour}`}>
      <h3>{run}</h3>
      <p class="hint">{sum(kernels).toFixed(2)} ms on the GPU, launch by launch</p>
      <ul class="bars">
        {shown.map(({ kernel, launches, milliseconds }) => (
          <li key={kernel}>
            <span>
              {kernel} <small>× {launches}</small>
            </span>
            <i style={`width: ${100 * milliseconds / scale}%`} />
            <b>{milliseconds.toFixed(2)}</b>
          </li>
        ))}
      </ul>
    </article>
  );
}

/** Milliseconds of the longest bar of several steps. */
export const scaleOf = (times: readonly StepTimes[]): number =>
  Math.max(...times.flatMap(({ kernels = [] }) => kernels.map(({ milliseconds }) => milliseconds)));
