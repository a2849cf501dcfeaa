/** Break a kernel, and see whether the checks catch it. */
import { useState } from "preact/hooks";
import type { CheckRow } from "../../gradcheck/mod.ts";
import { checkFault, faults } from "../lab/faults.ts";
import type { Lab } from "../lab/lab.ts";
import { Choice } from "./fields.tsx";
import { TaskButton } from "./task.tsx";

const options = faults.map(({ name }) => ({ value: name, label: name }));

export function FaultsPart({ lab }: { lab: Lab }) {
  const [name, setName] = useState(faults[0].name);
  const [found, setFound] = useState<{ name: string; row: CheckRow }>();
  const fault = faults.find((each) => each.name === name)!;
  const [[right, wrong]] = fault.lines;
  const row = found?.name === name ? found.row : undefined;
  return (
    <div class="panel">
      <h3>Break a kernel</h3>
      <Choice
        legend="In"
        value={name}
        options={options}
        disabled={lab.isTaken}
        onChange={setName}
      />
      <p>{fault.what}</p>
      <pre><del>{right}</del><ins>{wrong}</ins></pre>
      <TaskButton
        lab={lab}
        doing="Checking the broken kernel"
        run={async () => setFound({ name, row: await checkFault(lab.device, fault) })}
      >
        Check it broken
      </TaskButton>
      {row && (
        <p class="facts" role="status">
          {row.status === "failed" ? "Caught" : "Not caught"}: results are off by{" "}
          {row.forward?.toExponential(1)}, gradients by{" "}
          <b>{row.gradient?.toExponential(1)}</b>, most in {row.worst}.
        </p>
      )}
    </div>
  );
}
