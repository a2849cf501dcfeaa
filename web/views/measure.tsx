/** Measure it: every kernel against float64, and a step's time, on the reader's GPU and browser. */
/// <reference lib="dom" />
import { useState } from "preact/hooks";
import { allowed, type CheckRow, checksFor, runChecks } from "../../gradcheck/mod.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, methods } from "../../models/peft/methods.ts";
import { type StepTimes, timeSteps } from "../lab/step_times.ts";
import { FaultsPart } from "./faults.tsx";
import { download, type PartProps, useLab } from "./hooks.ts";
import { TaskButton } from "./task.tsx";
import { TimesTable } from "./times.tsx";

export function MeasureView({ lab, shown }: PartProps) {
  useLab(lab, shown);
  const [rows, setRows] = useState<readonly CheckRow[]>([]);
  const [of, setOf] = useState(0);
  const [steps, setSteps] = useState<readonly StepTimes[]>([]);
  const { info, kernels } = lab.device;
  const check = async () => {
    setRows([]);
    const checks = checksFor(lab.device);
    setOf(checks.length);
    for await (const row of runChecks(lab.device, checks)) setRows((before) => [...before, row]);
  };
  const time = async () => {
    setSteps([]);
    const all: Method[] = [
      { method: "full" },
      loraDefaults(8),
      ...methods.adapter.plan({ size: [64] }),
      ...methods.ia3.plan({}),
    ];
    for (const method of all) {
      const found = await timeSteps(lab, method);
      setSteps((before) => [...before, found]);
    }
  };
  const save = () => {
    const document = {
      browser: navigator.userAgent,
      adapter: info,
      kernels,
      allowed,
      rows,
      steps,
    };
    download("measured.json", `${JSON.stringify(document, null, 2)}\n`, "application/json");
  };
  const failed = rows.filter(({ status }) => status === "failed").length;
  return (
    <section aria-labelledby="measure-title">
      <h2 id="measure-title">Measure it</h2>
      <p class="lead">
        Does this GPU, under this browser, compute what it should, and how fast?{" "}
        <b>{info.description}</b>, {info.subgroupMinSize > 0
          ? `subgroups of ${info.subgroupSize || `${info.subgroupMinSize} and more`}`
          : "no subgroups"}.
      </p>
      <div class="panel">
        <h3>Every kernel against float64</h3>
        <TaskButton lab={lab} doing="Checking kernels" run={check}>
          Check all kernels
        </TaskButton>
        {rows.length > 0 && (
          <>
            <p class="facts" role="status">
              {rows.length} of {of} checked, {failed === 0 ? "none" : <b>{failed}</b>} wrong.
            </p>
            <CheckTable rows={rows} />
          </>
        )}
      </div>
      <FaultsPart lab={lab} />
      <div class="panel">
        <h3>A training step</h3>
        <TaskButton lab={lab} doing="Timing steps" run={time}>Time steps</TaskButton>
        {steps.length > 0 && <TimesTable times={steps} />}
      </div>
      <p class="actions">
        <button type="button" disabled={rows.length + steps.length === 0} onClick={save}>
          Download measured.json
        </button>
        <span class="hint">Browser, GPU and the numbers above, to share.</span>
      </p>
    </section>
  );
}

const error = (value: number | undefined) => value === undefined ? "" : value.toExponential(1);

function CheckTable({ rows }: { rows: readonly CheckRow[] }) {
  return (
    <>
      <div class="scroll" tabIndex={0} role="group" aria-label="Checks">
        <table class="sheet">
          <thead>
            <tr>
              <th>Operation</th>
              <th class="number">Shapes</th>
              <th class="number">Result</th>
              <th class="number">Gradients</th>
              <th>Status</th>
            </tr>
          </thead>
          <tbody>
            {rows.map((
              { operation, variant, cases, forward, gradient, status, worst, message },
            ) => (
              <tr key={`${operation} ${variant}`}>
                <th>
                  {operation} {variant && <small>{variant}</small>}
                </th>
                <td class="number">{cases}</td>
                <td class="number">{error(forward)}</td>
                <td class="number">{error(gradient)}</td>
                <td class={status === "failed" ? "failed" : undefined}>
                  {status === "ok" ? "ok" : `${status}: ${message ?? worst}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="hint">
        Largest errors as shares of the expected norm; {allowed.forward.toExponential(0)} and{" "}
        {allowed.gradient.toExponential(0)} are allowed.
      </p>
    </>
  );
}
