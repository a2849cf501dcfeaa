/** The page's parts, one of them shown at a time; the address says which. */
/// <reference lib="dom" />
import { useEffect, useState } from "preact/hooks";
import type { Lab } from "../lab/lab.ts";
import { useLab } from "./hooks.ts";
import { MeasureView } from "./measure.tsx";
import { Header } from "./start.tsx";
import { TrainView } from "./train.tsx";
import { UnderstandView } from "./understand.tsx";
import { UseView } from "./use.tsx";

const parts = [
  { id: "train", title: "Train", View: TrainView },
  { id: "use", title: "Use", View: UseView },
  { id: "understand", title: "Understand", View: UnderstandView },
  { id: "measure", title: "Measure", View: MeasureView },
] as const;

const asked = () => parts.find(({ id }) => location.hash === `#${id}`) ?? parts[0];

export function App({ lab }: { lab: Lab }) {
  useLab(lab, true);
  const [part, setPart] = useState(asked);
  useEffect(() => {
    const follow = () => {
      setPart(asked());
      scrollTo(0, 0);
    };
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const { active } = lab;
  const busy = active
    ? `${active.options.name} ${active.phase === "held" ? "is paused" : "trains"}`
    : lab.busy;
  return (
    <>
      <Header />
      <nav aria-label="Parts">
        {parts.map(({ id, title }) => (
          <a key={id} href={`#${id}`} aria-current={id === part.id ? "page" : undefined}>
            {title}
          </a>
        ))}
        <span class="gpu" title="The GPU that computes">{busy ?? lab.device.info.description}</span>
      </nav>
      {parts.map(({ id, View }) => (
        // What the parts but the first have computed is of the base.
        <div key={id === "train" ? id : `${id} ${lab.base.key}`} hidden={id !== part.id}>
          <View lab={lab} shown={id === part.id} />
        </div>
      ))}
    </>
  );
}
