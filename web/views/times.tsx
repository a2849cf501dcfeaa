/** What a step takes, and which kernels it spends that on: LoRA, an adapter and full side by side. */
import { compareKernels, type StepTimes, sum } from "../lab/step_times.ts";
import { looksOf } from "./colours.ts";
import { count } from "./format.ts";

/** Kernels that are shown of a step; the rest are one bar. */
const mostKernels = 10;

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

/** The kernels of several steps as bars, each kernel's side by side on one scale. */
export function KernelBars({ times }: { times: readonly StepTimes[] }) {
  const rows = compareKernels(times, mostKernels);
  const longest = Math.max(
    ...rows.flatMap(({ shares }) => shares.map(({ milliseconds }) => milliseconds)),
  );
  const looks = looksOf(times.map(({ run }) => run.split("-")[0]));
  return (
    <>
      <p class="facts">
        Milliseconds on the GPU, launch by launch:{" "}
        {times.map(({ run, kernels = [] }) => (
          <span key={run} class="total">
            {run} <b>{sum(kernels).toFixed(1)}</b>
          </span>
        ))}
      </p>
      <ul class="versus" aria-label="Kernels, the longest first">
        {rows.map(({ kernel, shares }) => (
          <li key={kernel}>
            <span>{kernel}</span>
            <ul>
              {shares.map(({ milliseconds, launches }, index) => (
                <li key={times[index].run} style={`--bar: ${looks[index].colour}`}>
                  <small>{times[index].run}</small>
                  <i style={`width: ${100 * milliseconds / longest}%`} />
                  <b>
                    {launches === 0 ? "none" : `${milliseconds.toFixed(2)}, × ${launches}`}
                  </b>
                </li>
              ))}
            </ul>
          </li>
        ))}
      </ul>
    </>
  );
}
