/** Break a kernel by a switch, and watch the checks catch it; switched back, they pass. */
import { useState } from "preact/hooks";
import { checkFault, checkWhole, type Fault, type FaultRun, faults } from "../lab/faults.ts";
import type { Lab } from "../lab/lab.ts";
import { CheckHint, CheckTable } from "./check_table.tsx";
import { sentenceOf } from "./format.ts";

export function FaultsPart({ lab }: { lab: Lab }) {
  return (
    <div class="panel">
      <h3>Break a kernel</h3>
      <p>
        Each switch puts a mistake into a kernel's text before the GPU compiles it, and runs that
        kernel's gradient check. Results stay right: a loss would fall, only worse. The check sees
        it all the same.
      </p>
      {lab.active && <p class="hint" role="status">The GPU trains; stop that first.</p>}
      <ul class="switches">
        {faults.map((fault) => <FaultSwitch key={fault.name} lab={lab} fault={fault} />)}
      </ul>
      <CheckHint />
    </div>
  );
}

function FaultSwitch({ lab, fault }: { lab: Lab; fault: Fault }) {
  const [broken, setBroken] = useState(false);
  const [found, setFound] = useState<FaultRun>();
  const [problem, setProblem] = useState<string>();
  const [running, setRunning] = useState(false);
  const turn = async () => {
    if (lab.isTaken) return;
    const isBroken = !broken;
    setBroken(isBroken);
    setRunning(true);
    setFound(undefined);
    setProblem(undefined);
    try {
      await lab.alone(
        `Checking ${fault.name}`,
        async () => setFound(await (isBroken ? checkFault : checkWhole)(lab.device, fault)),
      );
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setRunning(false);
  };
  return (
    <li>
      <button
        type="button"
        class="switch"
        role="switch"
        aria-checked={broken}
        aria-disabled={lab.isTaken} // it keeps the keyboard's focus while it checks
        onClick={turn}
      >
        <i aria-hidden="true" />
        Break {fault.name}
      </button>
      <p>{fault.what}</p>
      <p class="facts" role="status">
        {running
          ? `Checking ${fault.name} …`
          : found && <Verdict broken={found.change !== undefined} run={found} />}
      </p>
      {problem && <p class="problem" role="alert">{problem}</p>}
      {found?.change && <Diff {...found.change} />}
      {found && <CheckTable rows={[found.row]} label={`The check of ${fault.name}`} />}
    </li>
  );
}

function Verdict({ broken, run: { row } }: { broken: boolean; run: FaultRun }) {
  const caught = row.status === "failed";
  if (!broken) {
    return (
      <>{caught ? "It fails as it is: this GPU computes it wrong." : "Whole again: it passes."}</>
    );
  }
  if (!caught) return <>Not caught.</>;
  return (
    <>
      <b>Caught</b>: gradients are off by {row.gradient?.toExponential(1)}{" "}
      of what they should be, results by {row.forward?.toExponential(1)}.
    </>
  );
}

/** The changed line as version control shows it; what was taken and what was put are said too. */
function Diff({ before, right, wrong, after }: NonNullable<FaultRun["change"]>) {
  const lines = [before, right, wrong, after].filter((line) => line.trim() !== "");
  const indent = Math.min(...lines.map((line) => line.length - line.trimStart().length));
  const cut = (line: string) => line.slice(indent);
  return (
    <pre class="diff" tabIndex={0} role="group" aria-label="The changed line of WGSL">
      {before.trim() && <span>{cut(before)}</span>}
      <del>{cut(right)}</del>
      <ins>{cut(wrong)}</ins>
      {after.trim() && <span>{cut(after)}</span>}
    </pre>
  );
}
