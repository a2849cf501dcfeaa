/** Measure it: every kernel against float64, every kernel's time, and a step's, on the reader's GPU and browser. */
import { useRef, useState } from "preact/hooks";
import { type CheckRow, checksFor, runChecks } from "../../gradcheck/mod.ts";
import type { KernelTimes } from "../../kernelbench/kernel_bench.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import { type Method, methods } from "../../models/peft/methods.ts";
import { type StepTimes, timeSteps } from "../lab/step_times.ts";
import { CheckHint, CheckTable } from "./check_table.tsx";
import { type PartProps, useLab } from "./hooks.ts";
import { KernelsPart } from "./kernels.tsx";
import { SharePart } from "./share.tsx";
import { TaskButton } from "./task.tsx";
import { TimesTable } from "./times.tsx";

export function MeasureView({ lab, shown }: PartProps) {
  useLab(lab, shown);
  const [checks, setChecks] = useState<readonly CheckRow[]>([]);
  const [of, setOf] = useState(0);
  const stopped = useRef(false);
  const [kernels, setKernels] = useState<KernelTimes>();
  const [steps, setSteps] = useState<readonly StepTimes[]>([]);
  const { info } = lab.device;
  const check = async () => {
    setChecks([]);
    const all = checksFor(lab.device);
    setOf(all.length);
    stopped.current = false;
    for await (const row of runChecks(lab.device, all)) {
      setChecks((before) => [...before, row]);
      if (stopped.current) break;
    }
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
  const failed = checks.filter(({ status }) => status === "failed").length;
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
        <p>
          The gradient check: results and gradients of each operation against the same formula in 64
          bits, computed beside it. What it catches is under{" "}
          <a href="#understand">Understand</a>, where kernels are broken on purpose.
        </p>
        <TaskButton
          lab={lab}
          doing="Checking kernels"
          run={check}
          onStop={() => stopped.current = true}
        >
          Check all kernels
        </TaskButton>
        {checks.length > 0 && (
          <>
            <p class="facts" role="status">
              {checks.length} of {of} checked, {failed === 0 ? "none" : <b>{failed}</b>} wrong.
            </p>
            <CheckTable rows={checks} label="Checks" />
            <CheckHint />
          </>
        )}
      </div>
      <KernelsPart lab={lab} times={kernels} onTimes={setKernels} />
      <div class="panel">
        <h3>A training step</h3>
        <TaskButton lab={lab} doing="Timing steps" run={time}>Time steps</TaskButton>
        {steps.length > 0 && <TimesTable times={steps} />}
      </div>
      <SharePart device={lab.device} found={{ checks, kernels, steps }} />
    </section>
  );
}
