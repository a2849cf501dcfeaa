/** Step 0, where B = 0, and the steps after it. */
import { useState } from "preact/hooks";
import { firstSteps, observedLayer, type ObservedStep } from "../lab/first_steps.ts";
import type { Lab } from "../lab/lab.ts";
import { TaskButton } from "./task.tsx";

/** A norm as a table has it; 0 is exact. */
const shown = (norm: number) => norm === 0 ? "0" : norm.toPrecision(3);

export function FirstStepsPart({ lab }: { lab: Lab }) {
  const [steps, setSteps] = useState<readonly ObservedStep[]>([]);
  const run = async () => {
    setSteps([]);
    for await (const step of firstSteps(lab, { rank: 8, steps: 6, learningRate: 2e-3 })) {
      setSteps((before) => [...before, step]);
    }
  };
  return (
    <div class="panel">
      <h3>Step 0</h3>
      <p>
        LoRA begins with B = 0: the model is the base, exactly. The gradient of A is a product with
        B, so it is 0 as well, and the first step moves B alone. From the next one on A follows.
      </p>
      <TaskButton lab={lab} doing="Taking six steps" run={run}>Take six steps</TaskButton>
      {steps.length > 0 && (
        <>
          <div class="scroll" tabIndex={0} role="group" aria-label="First steps">
            <table>
              <thead>
                <tr>
                  <th class="number">Step</th>
                  <th class="number">Loss</th>
                  <th class="number">‖A‖</th>
                  <th class="number">‖B‖</th>
                  <th class="number">‖∂A‖</th>
                  <th class="number">‖∂B‖</th>
                </tr>
              </thead>
              <tbody>
                {steps.map(({ step, loss, a, b, gradientA, gradientB }) => (
                  <tr key={step}>
                    <td class="number">{step}</td>
                    <td class="number">{loss.toFixed(4)}</td>
                    {[a, b, gradientA, gradientB].map((norm, index) => (
                      <td key={index} class={norm === 0 ? "number zero" : "number"}>
                        {shown(norm)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <p class="hint">
            Norms in {observedLayer}, as each step finds them; one batch of 16 sentences, rank 8.
          </p>
        </>
      )}
    </div>
  );
}
