/** Which sentences are trained on: the sample, the reader's own lines, or a file. */
/// <reference lib="dom" />
import { useId, useState } from "preact/hooks";
import { aboutRows, fileData, type LabelledData, pastedData, sampleData } from "../lab/data.ts";
import type { Lab } from "../lab/lab.ts";
import { findData } from "../lab/hub/data.ts";
import { fetchFile } from "../site.ts";
import { DropPanel } from "./drop.tsx";
import { Choice } from "./fields.tsx";
import { count, sentenceOf } from "./format.ts";
import { HubField } from "./hub_field.tsx";

type Source = "sample" | "paste" | "file" | "hub";

const sources = [
  { value: "sample", label: "The sample" },
  { value: "paste", label: "Paste lines" },
  { value: "file", label: "A file" },
  { value: "hub", label: "From the hub" },
] as const;

const example = `What a wonderful surprise, joy
I am so glad you came, joy
This makes my day, joy
Best news in years, joy
They lied to me again, anger
How dare they, anger
I have had enough of this, anger
Stop shouting at me, anger`;

export function DataPicker({ lab }: { lab: Lab }) {
  const [source, setSource] = useState<Source>("sample");
  const [text, setText] = useState(example);
  const [problem, setProblem] = useState<string>();
  const id = useId();
  const load = async (loading: () => Promise<LabelledData>) => {
    try {
      lab.useData(await loading());
      setProblem(undefined);
    } catch (error) {
      setProblem(sentenceOf(error));
    }
  };
  const take = ([file]: readonly File[]) => {
    setSource("file");
    if (file) void load(() => fileData(file));
  };
  const choose = (chosen: Source) => {
    setSource(chosen);
    setProblem(undefined);
    if (chosen === "sample") void load(async () => sampleData(await fetchFile("sample.csv")));
  };
  const taken = lab.active !== undefined;
  return (
    <DropPanel disabled={taken} onFiles={take}>
      <h3>Sentences</h3>
      <Choice<Source>
        legend="Train on"
        value={source}
        options={sources}
        disabled={taken}
        onChange={choose}
      />
      {source === "paste" && (
        <div class="field">
          <label for={id}>A sentence, a comma and its label, line by line</label>
          <textarea
            id={id}
            rows={8}
            value={text}
            disabled={taken}
            spellcheck={false}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
          <button
            type="button"
            class="quiet"
            disabled={taken}
            onClick={() => load(() => pastedData(text))}
          >
            Use these lines
          </button>
        </div>
      )}
      {source === "file" && (
        <div class="field">
          <label for={id}>CSV, TSV, JSON or Parquet with columns text and label</label>
          <input
            id={id}
            type="file"
            disabled={taken}
            onChange={({ currentTarget }) => take([...currentTarget.files ?? []])}
          />
          <small>Or drop one here. It is read by this page and goes nowhere.</small>
        </div>
      )}
      {source === "hub" && (
        <HubField
          type="dataset"
          label="A data set on the hub, or a file of it: org/name/file.csv"
          example="boltuix/emotions-dataset"
          disabled={taken}
          find={findData}
          use={(found) => load(() => Promise.resolve(found))}
        />
      )}
      {problem && <p class="problem" role="alert">{problem}</p>}
      <DataFacts data={lab.data} />
    </DropPanel>
  );
}

function DataFacts({ data: { dataset, split } }: { data: LabelledData }) {
  const { labels, notices } = dataset;
  const shown = labels.slice(0, 14);
  return (
    <>
      <p class="facts" aria-live="polite">
        <b>{dataset.sample ? "The sample" : dataset.name}</b>: {count(split.train.length)}{" "}
        sentences to train on, {count(split.validation.length)} to choose the best epoch,{" "}
        {count(split.test.length)} to test.
      </p>
      <ul class="labels" aria-label={`${labels.length} labels`}>
        {shown.map((label) => <li key={label}>{label}</li>)}
        {labels.length > shown.length && <li>and {labels.length - shown.length} more</li>}
      </ul>
      {aboutRows(dataset).map((each) => <p key={each} class="hint">{each}</p>)}
      {notices.map((notice) => <p key={notice} class="note">{notice}</p>)}
    </>
  );
}
