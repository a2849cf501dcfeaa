/** Runs taken away as files, and such files opened. */
/// <reference lib="dom" />
import { useId, useState } from "preact/hooks";
import { methods } from "../../models/peft/methods.ts";
import { zipOf } from "../lab/files.ts";
import type { Lab } from "../lab/lab.ts";
import type { Trained } from "../lab/trained.ts";
import { DropPanel } from "./drop.tsx";
import { bytes, sentenceOf } from "./format.ts";
import { download } from "./hooks.ts";

/** Which programs load a run's folder. */
const loadedBy: Record<Trained["method"]["method"], string> = {
  lora: "PEFT",
  ia3: "PEFT",
  adapter: "AdapterHub, with use_safetensors=True",
  full: "transformers",
};

export function Files({ lab }: { lab: Lab }) {
  const [problem, setProblem] = useState<string>();
  const [saving, setSaving] = useState(false);
  const id = useId();
  const { origin } = lab.base;
  const save = async (run: Trained) => {
    setSaving(true);
    try {
      const training = lab.trainings.find(({ trained }) => trained === run);
      const zip = await zipOf(run, lab.base, training?.steps ?? []);
      download(`${run.name}.zip`, zip, "application/zip");
      setProblem(undefined);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
    setSaving(false);
  };
  const open = async (files: readonly File[]) => {
    if (files.length === 0) return;
    try {
      await lab.open(files);
      setProblem(undefined);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  return (
    <DropPanel onFiles={open}>
      <h3>Take it with you</h3>
      {lab.runs.length > 0 && (
        <ul class="files">
          {lab.runs.map((run) => (
            <li key={run.name}>
              <span>
                <b>{run.name}</b>{" "}
                <small>
                  {methods[run.method.method].label}, {bytes(4 * run.trainableParameters)} trained,
                  {" "}
                  {run.origin}; loads in {loadedBy[run.method.method]}
                </small>
              </span>
              <button type="button" disabled={saving} onClick={() => save(run)}>
                Download {run.name}.zip
              </button>
            </li>
          ))}
        </ul>
      )}
      <p class="hint">
        A zip holds the run's folder{origin === "hub"
          ? `, which names its base, ${lab.base.name}`
          : " and, beside it, the base"}. Unpacked, the command line reads it:{" "}
        <code>./denow task predict --run lora-r8 "Thank you"</code>.
      </p>
      <div class="field">
        <label for={id}>Open runs: a zip, or a folder's files together; or drop them here</label>
        <input
          id={id}
          type="file"
          multiple
          accept=".zip,.json,.safetensors,.txt,.md,.jsonl"
          onChange={({ currentTarget }) => open([...currentTarget.files ?? []])}
        />
      </div>
      {problem && <p class="problem" role="alert">{problem}</p>}
    </DropPanel>
  );
}
