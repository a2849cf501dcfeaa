/** Formulas whose parts, pointed at, show the lines that compute them. */
/// <reference lib="dom" />
import { useMemo, useState } from "preact/hooks";
import type { Excerpt } from "../lab/excerpt.ts";
import { excerptsOf, type Formula, formulas, type Part, partsOf } from "../lab/formulas/mod.ts";
import { Choice } from "./fields.tsx";

const options = formulas.map(({ name }) => ({ value: name, label: name }));

export function FormulasPart() {
  const [name, setName] = useState(formulas[0].name);
  const formula = formulas.find((each) => each.name === name)!;
  return (
    <div class="panel">
      <h3>From the formula to the GPU</h3>
      <Choice legend="Formula" value={name} options={options} onChange={setName} />
      <p class="about">{formula.about}</p>
      <FormulaLines key={name} formula={formula} />
    </div>
  );
}

function FormulaLines({ formula }: { formula: Formula }) {
  const [chosen, setChosen] = useState(partsOf(formula)[0]);
  const [pointed, setPointed] = useState<Part>();
  const shown = pointed ?? chosen;
  return (
    <>
      <div class="formulas" role="group" aria-label={`${formula.name}, in parts`}>
        {formula.lines.map((line, index) => (
          <p key={index}>
            {line.map((token) =>
              typeof token === "string" ? token : (
                <button
                  key={token.text}
                  type="button"
                  class={token === shown ? "part shown" : "part"}
                  aria-pressed={token === chosen}
                  aria-label={`${token.text}: ${token.what}`}
                  onFocus={() => setChosen(token)}
                  onClick={() => setChosen(token)}
                  onPointerEnter={({ pointerType }) => pointerType !== "touch" && setPointed(token)}
                  onPointerLeave={() => setPointed(undefined)}
                >
                  {token.text}
                </button>
              )
            )}
          </p>
        ))}
      </div>
      <p class="facts">
        <b>{shown.text}</b>: {shown.what}
      </p>
      <Code part={shown} />
      <p class="hint">
        Point at a part to look, press it to keep it. Lines are those of the sources that this page
        was built from; loops in comments are unrolled, and <code>$name</code>{" "}
        filled in, before the GPU's compiler sees them.
      </p>
    </>
  );
}

function Code({ part }: { part: Part }) {
  const excerpts = useMemo(() => excerptsOf(part), [part]);
  const isKernel = ({ path }: Excerpt) => path.endsWith(".wgsl");
  const kernels = excerpts.filter(isKernel);
  return (
    <div class="sources">
      <div>
        <h4>TypeScript</h4>
        {excerpts.filter((each) => !isKernel(each)).map((each) => (
          <Lines key={each.path} excerpt={each} />
        ))}
      </div>
      <div>
        <h4>WGSL</h4>
        {kernels.length === 0 && <p class="hint">Nothing is launched for it.</p>}
        {kernels.map((each, index) => <Lines key={`${each.path} ${index}`} excerpt={each} />)}
      </div>
    </div>
  );
}

function Lines({ excerpt: { path, stretches } }: { excerpt: Excerpt }) {
  const first = stretches.flat().find(({ marked }) => marked) ?? stretches[0][0];
  return (
    <>
      <p class="hint">{path}, line {first.number}</p>
      <pre class="excerpt" tabIndex={0} role="group" aria-label={path}>
        {stretches.map((stretch, index) => (
          <code key={index}>
            {stretch.map(({ number, text, marked }) => {
              const Kind = marked ? "mark" : "span";
              return <Kind key={number}>{text || " "}</Kind>;
            })}
          </code>
        ))}
      </pre>
    </>
  );
}
