/** LoRA's formulas; the one that is chosen shows the lines that compute it. */
import { useState } from "preact/hooks";
import { formulas, kernelOf, launchOf } from "../lab/sources.ts";
import { Choice } from "./fields.tsx";

const options = formulas.map(({ formula }) => ({ value: formula, label: formula }));

export function SourcesPart() {
  const [chosen, setChosen] = useState(formulas[0].formula);
  const formula = formulas.find((each) => each.formula === chosen)!;
  const [launch, kernel] = [launchOf(formula), kernelOf(formula)];
  return (
    <div class="panel">
      <h3>From the formula to the GPU</h3>
      <p>
        y = x Wᵀ + b + u Bᵀ. The kernel of W's product adds u Bᵀ; what is left has kernels of its
        own.
      </p>
      <Choice legend="Show" value={chosen} options={options} onChange={setChosen} />
      <p class="facts" aria-live="polite">
        <b>{formula.formula}</b>: {formula.what}.
      </p>
      <p class="hint">engine/ops/lora.ts, line {launch.line}</p>
      <pre tabIndex={0}>{launch.text}</pre>
      <p class="hint">kernels/{formula.file}, line {kernel.line}</p>
      <pre tabIndex={0}>{kernel.text}</pre>
    </div>
  );
}
