/** Which model is fine-tuned: the built-in one, one of the hub, or the reader's own. */
/// <reference lib="dom" />
import { useId, useState } from "preact/hooks";
import { aboutModel, type Base } from "../lab/base.ts";
import { findModel } from "../lab/hub/model.ts";
import type { Lab } from "../lab/lab.ts";
import { localModel } from "../lab/local_model.ts";
import { fetchBase } from "../site.ts";
import { DropPanel } from "./drop.tsx";
import { Choice } from "./fields.tsx";
import { sentenceOf } from "./format.ts";
import { HubField } from "./hub_field.tsx";

type Source = "mini" | "hub" | "files";

const sources = [
  { value: "mini", label: "mini" },
  { value: "hub", label: "From the hub" },
  { value: "files", label: "My files" },
] as const;

export function BasePicker({ lab }: { lab: Lab }) {
  const [source, setSource] = useState<Source>("mini");
  const [problem, setProblem] = useState<string>();
  const id = useId();
  const { base } = lab;
  const taken = lab.isTaken;
  const take = async (loading: () => Promise<Base>) => {
    setProblem(undefined);
    try {
      await lab.useBase(await loading());
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const choose = (chosen: Source) => {
    setSource(chosen);
    setProblem(undefined);
    if (chosen === "mini" && base.origin !== "built-in") void take(fetchBase);
  };
  const takeFiles = (files: readonly File[]) => {
    setSource("files");
    if (files.length > 0) void take(() => localModel(files));
  };
  return (
    <DropPanel disabled={taken} onFiles={takeFiles}>
      <h3>Model</h3>
      <Choice<Source>
        legend="Fine-tune"
        value={source}
        options={sources}
        disabled={taken}
        onChange={choose}
      />
      {source === "hub" && (
        <HubField
          type="model"
          label="A BERT, RoBERTa or DistilBERT by its name on the hub"
          example="distilbert-base-uncased"
          disabled={taken}
          find={findModel}
          use={(found) => lab.useBase(found)}
        />
      )}
      {source === "files" && (
        <div class="field">
          <label for={id}>The files of a model in HF's format, together</label>
          <input
            id={id}
            type="file"
            multiple
            disabled={taken}
            onChange={({ currentTarget }) => takeFiles([...currentTarget.files ?? []])}
          />
          <small>
            config.json, model.safetensors, and tokenizer.json or vocab.txt. Or drop the folder
            here. They are read by this page and go nowhere.
          </small>
        </div>
      )}
      {problem && <p class="problem" role="alert">{problem}</p>}
      <p class="facts" role="status">
        <b>{base.name}</b>: {aboutModel(base.config)}.
      </p>
      {base.notices.map((notice) => <p key={notice} class="note">{notice}</p>)}
    </DropPanel>
  );
}
