/** Understand it: the numbers of LoRA, made to move. */
import { useState } from "preact/hooks";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Lab } from "../lab/lab.ts";
import { type StepTimes, timeSteps } from "../lab/step_times.ts";
import { FaultsPart } from "./faults.tsx";
import { FirstStepsPart } from "./first_steps.tsx";
import { type PartProps, useLab } from "./hooks.ts";
import { MergePart } from "./merge.tsx";
import { RankPart } from "./rank.tsx";
import { FormulasPart } from "./formulas.tsx";
import { TaskButton } from "./task.tsx";
import { KernelBars, TimesTable } from "./times.tsx";

export function UnderstandView({ lab, shown }: PartProps) {
  useLab(lab, shown);
  return (
    <section aria-labelledby="understand-title">
      <h2 id="understand-title">Understand it</h2>
      <p class="lead">Nothing here is drawn from a book: this page computes it on your GPU.</p>
      <div class="pair">
        <RankPart lab={lab} shown={shown} />
        <FirstStepsPart lab={lab} />
      </div>
      <FormulasPart />
      <FaultsPart lab={lab} />
      <MergePart lab={lab} />
      <TimesPart lab={lab} />
    </section>
  );
}

function TimesPart({ lab }: { lab: Lab }) {
  const [times, setTimes] = useState<readonly StepTimes[]>([]);
  const run = async () => {
    setTimes([]);
    for (const method of [{ method: "full" } as const, loraDefaults(8)]) {
      const found = await timeSteps(lab, method);
      setTimes((before) => [...before, found]);
    }
  };
  const timed = times.filter(({ kernels }) => kernels !== undefined);
  return (
    <div class="panel">
      <h3>Where the time goes</h3>
      <p>
        Both run forward through every layer. LoRA spares the gradients of the frozen weights and
        their update, not the way back through the layers: that is why it trains a hundredth of the
        parameters in more than a hundredth of the time.
      </p>
      <TaskButton lab={lab} doing="Timing steps" run={run}>Time steps of full and LoRA</TaskButton>
      {times.length > 0 && <TimesTable times={times} />}
      {times.length > timed.length && (
        <p class="hint">This browser tells no times of single launches.</p>
      )}
      {timed.length > 0 && <KernelBars times={timed} />}
    </div>
  );
}
