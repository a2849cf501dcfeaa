/** Every kernel's time beside what the adapter can do at most. */
import { useRef, useState } from "preact/hooks";
import { formatRate, formatShare, formatTime } from "../../kernelbench/format.ts";
import type { KernelRow, KernelTimes } from "../../kernelbench/kernel_bench.ts";
import { type ShapeName, timeKernels } from "../lab/kernel_times.ts";
import type { Lab } from "../lab/lab.ts";
import { Choice } from "./fields.tsx";
import { TaskButton } from "./task.tsx";

const shapes: { value: ShapeName; label: string }[] = [
  { value: "mini", label: "mini, 128 wide" },
  { value: "base", label: "bert-base, 768 wide" },
];

interface Props {
  lab: Lab;
  times: KernelTimes | undefined;
  onTimes(times: KernelTimes | undefined): void;
}

export function KernelsPart({ lab, times, onTimes }: Props) {
  const [chosen, setChosen] = useState<ShapeName>(lab.device.info.software ? "mini" : "base");
  const [rows, setRows] = useState<readonly KernelRow[]>([]);
  const [of, setOf] = useState(0);
  const stopped = useRef(false);
  const run = async () => {
    stopped.current = false;
    setRows([]);
    setOf(0);
    onTimes(undefined);
    onTimes(
      await timeKernels(lab.device, {
        shapes: chosen,
        report(row, all) {
          setOf(all);
          setRows((before) => [...before, row]);
        },
        stopRequested: () => stopped.current,
      }),
    );
  };
  return (
    <div class="panel">
      <h3>Every kernel's time</h3>
      <p>
        The kernels of a training step of 384 tokens, each many times over, beside what this GPU's
        own ceilings allow: its multiply-adds a second, and its copies. <code>deno task bench</code>
        {" "}
        runs the same code.
      </p>
      <Choice
        legend="Sizes of"
        value={chosen}
        options={shapes}
        disabled={lab.isTaken}
        onChange={(value) => setChosen(value)}
      />
      <TaskButton
        lab={lab}
        doing="Timing kernels, the ceilings first"
        run={run}
        onStop={() => stopped.current = true}
      >
        Time all kernels
      </TaskButton>
      {rows.length > 0 && (
        <>
          <p class="facts">
            {rows.length} of {of} rows{times && <Ceilings times={times} />}.
          </p>
          <KernelTable rows={rows} />
          <p class="hint">
            Medians of five samples. Limit: the share of what the ceilings allow, by arithmetic or
            by memory. Above 100 % a kernel's data stay in a cache that the copy has not, or the GPU
            was busier before.
          </p>
        </>
      )}
    </div>
  );
}

function Ceilings({ times: { timing, ceilings } }: { times: KernelTimes }) {
  const { flopsPerSecond, copies } = ceilings;
  const rates = copies.map(({ bytes, bytesPerSecond }) =>
    `${formatRate(bytesPerSecond / 1e9)} GB/s over ${bytes >> 20} MiB`
  );
  return (
    <>
      , by {timing === "wall clock" ? "the wall clock" : "the GPU's timestamps"}. At most{" "}
      <b>{formatRate(flopsPerSecond / 1e9)} GFLOP/s</b>, and copies of {rates.join(", ")}
    </>
  );
}

function KernelTable({ rows }: { rows: readonly KernelRow[] }) {
  return (
    <div class="scroll tall" tabIndex={0} role="group" aria-label="Kernels">
      <table class="sheet kernels">
        <thead>
          <tr>
            <th>Kernel</th>
            <th class="number">Time</th>
            <th class="number">GFLOP/s</th>
            <th class="number">GB/s</th>
            <th class="number">Limit</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ kernel, shape, seconds, gflops, gbps, percent, limit }, index) => (
            <tr key={index}>
              <th>
                {kernel} <small>{shape}</small>
              </th>
              <td class="number">{formatTime(seconds)}</td>
              <td class="number">{formatRate(gflops)}</td>
              <td class="number">{formatRate(gbps)}</td>
              <td class="number share" style={`--share: ${Math.min(100, percent)}%`}>
                {formatShare(percent)} % <small>{limit}</small>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
