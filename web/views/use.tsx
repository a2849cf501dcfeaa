/** Use what was trained: label a sentence by several runs at once. */
/// <reference lib="dom" />
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";
import type { Labelled, Labelling } from "../lab/labeller.ts";
import { looksOf } from "./colours.ts";
import { Files } from "./files.tsx";
import { count, sentenceOf } from "./format.ts";
import { type PartProps, useLab } from "./hooks.ts";
import { Kept } from "./kept.tsx";

type Answer = Labelled | { error: unknown };

const isAnswer = (answer: Answer | undefined): answer is Labelled =>
  answer !== undefined && !("error" in answer);

const areSame = (some: readonly unknown[], others: readonly unknown[]) =>
  some.length === others.length && some.every((each, index) => each === others[index]);

/** Labels the newest text by all runs; while that lasts, older texts are passed over. */
function useAnswers(lab: Lab, runs: readonly Labelling[], text: string) {
  const [answers, setAnswers] = useState<ReadonlyMap<Labelling, Answer>>(new Map());
  const asked = useRef({ text, runs });
  const working = useRef(false);
  if (text !== asked.current.text || !areSame(runs, asked.current.runs)) {
    asked.current = { text, runs };
  }
  useEffect(() => {
    const work = async () => {
      if (working.current) return;
      working.current = true;
      let done: typeof asked.current;
      do {
        done = asked.current;
        const found = new Map<Labelling, Answer>();
        for (const run of done.text.trim() === "" ? [] : done.runs) {
          const answer = await lab.labeller.label(run, done.text).catch((error) => ({ error }));
          found.set(run, answer);
          setAnswers((before) => new Map([...before, [run, answer]]));
        }
        setAnswers(found);
      } while (done !== asked.current);
      working.current = false;
    };
    const soon = setTimeout(() => void work(), 120); // while somebody types
    return () => clearTimeout(soon);
  }, [lab, asked.current]);
  return answers;
}

export function UseView({ lab, shown }: PartProps) {
  useLab(lab, shown);
  const [text, setText] = useState("Thank you so much for the flowers");
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const id = useId();
  const all: readonly Labelling[] = [lab.untrained, ...lab.runs];
  const asked = all.filter(({ name }) => !hidden.has(name));
  const answers = useAnswers(lab, shown ? asked : [], text);
  const looks = looksOf(all.map(({ method, name }) => name === "untrained" ? "" : method.method));
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    setHidden(next);
  };
  return (
    <section aria-labelledby="use-title">
      <h2 id="use-title">Use it</h2>
      <p class="lead">
        Type a sentence. Every run labels it over one base, whose weights are on the GPU once; what
        changes from run to run is what was trained.
      </p>
      <div class="panel">
        <div class="field">
          <label for={id}>A sentence</label>
          <textarea
            id={id}
            rows={2}
            value={text}
            onInput={({ currentTarget }) => setText(currentTarget.value)}
          />
        </div>
        <fieldset class="choice">
          <legend>Labelled by</legend>
          <div>
            {all.map(({ name }) => (
              <label key={name}>
                <input
                  type="checkbox"
                  checked={!hidden.has(name)}
                  onChange={() => toggle(name)}
                />
                <span>{name}</span>
              </label>
            ))}
          </div>
        </fieldset>
        {lab.runs.length === 0 && (
          <p class="hint">
            Nothing is trained yet: <a href="#train">train a run</a>, or open one below.
          </p>
        )}
      </div>
      <Said answers={answers} runs={asked} text={text} />
      <div class="cards">
        {asked.map((run) => (
          <Card
            key={run.name}
            run={run}
            answer={answers.get(run)}
            colour={looks[all.indexOf(run)].colour}
          />
        ))}
      </div>
      <Files lab={lab} />
      <Kept lab={lab} shown={shown} />
    </section>
  );
}

interface SaidProps {
  answers: ReadonlyMap<Labelling, Answer>;
  runs: readonly Labelling[];
  text: string;
}

/** For those who hear the page: the labels, when nobody has typed for a moment; the cards would be read number by number. */
function Said({ answers, runs, text }: SaidProps) {
  const [said, setSaid] = useState("");
  useEffect(() => {
    const soon = setTimeout(() => {
      const labels = runs.flatMap((run) => {
        const answer = answers.get(run);
        return isAnswer(answer) ? [`${run.name}: ${ranked(run, answer)[0].label}`] : [];
      });
      setSaid(labels.join("; "));
    }, 800);
    return () => clearTimeout(soon);
  }, [answers, text]);
  return <p class="hidden" role="status">{said}</p>;
}

/** Labels with their probabilities, the most probable first. */
const ranked = ({ labels }: Labelling, { probabilities }: Labelled) =>
  [...probabilities].map((value, index) => ({ label: labels[index], value }))
    .sort((one, other) => other.value - one.value);

/** Labels that are shown of a run. */
const mostLabels = 6;

function Card(
  { run, answer, colour }: { run: Labelling; answer: Answer | undefined; colour: string },
) {
  const labels = isAnswer(answer) ? ranked(run, answer) : [];
  return (
    <article class="card" style={`--bar: ${colour}`}>
      <h3>{run.name}</h3>
      {answer && "error" in answer && <p class="problem">{sentenceOf(answer.error)}</p>}
      {isAnswer(answer) && (
        <>
          <p class="answer">{labels[0].label}</p>
          <ul class="bars">
            {labels.slice(0, mostLabels).map(({ label, value }) => (
              <li key={label}>
                <span>{label}</span>
                <i style={`width: ${100 * value}%`} />
                <b>{value.toFixed(4)}</b>
              </li>
            ))}
          </ul>
          <p class="hint">
            {count(answer.tokens)} tokens, {answer.milliseconds.toFixed(0)} ms
          </p>
        </>
      )}
    </article>
  );
}
