/** What this browser keeps of the page, how much that is, and how it is forgotten. */
/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import { countOf } from "../../models/numbers.ts";
import { forgetRepository, keptRepositories, type KeptRepository } from "../lab/hub/kept_files.ts";
import type { Lab } from "../lab/lab.ts";
import { bytes, sentenceOf } from "./format.ts";
import { useFocusKept } from "./hooks.ts";

/** Repositories of the hub whose files are kept, looked up again as the lab changes. */
function useRepositories(lab: Lab, shown: boolean) {
  const [repositories, setRepositories] = useState<readonly KeptRepository[]>([]);
  const [problem, setProblem] = useState<string>();
  const look = () =>
    keptRepositories().then(setRepositories, (error) => setProblem(sentenceOf(error)));
  useEffect(() => {
    if (shown) void look();
  }, [shown, lab.base, lab.data]);
  const forget = async (repository: KeptRepository) => {
    await forgetRepository(repository);
    await look();
  };
  return { repositories, forget, problem };
}

export function Kept({ lab, shown }: { lab: Lab; shown: boolean }) {
  const { keeper } = lab;
  const { repositories, forget, problem } = useRepositories(lab, shown);
  const all = [...keeper.kept, ...repositories].reduce((sum, each) => sum + each.bytes, 0);
  const parts = [
    ...(keeper.kept.length > 0 ? [countOf(keeper.kept.length, "run")] : []),
    ...(repositories.length > 0
      ? [`${countOf(repositories.length, "repository", "repositories")} of the hub`]
      : []),
  ];
  const title = useRef<HTMLHeadingElement>(null);
  const focus = useFocusKept(title);
  const forgetRun = async (id: string) => {
    const training = lab.trainings.find((each) => each.id === id);
    await (training ? lab.forget(training) : keeper.forget(id));
  };
  const isUsed = ({ type, name }: KeptRepository) =>
    type === "model" && lab.base.origin === "hub" &&
    (name === lab.base.name || name.endsWith(`/${lab.base.name}`));
  const forgetAll = async () => {
    for (const { id } of keeper.kept) await forgetRun(id);
    for (const each of repositories) if (!isUsed(each)) await forget(each);
  };
  const isTrained = (id: string) => lab.active?.id === id;
  return (
    <div class="panel" {...focus}>
      <h3 ref={title} tabIndex={-1}>What this browser keeps</h3>
      <p class="facts" role="status">
        {all === 0
          ? "Nothing yet. Runs that are trained here are kept, and so is what was fetched from the hub."
          : `${parts.join(" and ")}, ${
            bytes(all)
          }. They are there when the page is opened again, in this browser alone.`}
      </p>
      {all > 0 && (
        <ul class="files">
          {keeper.kept.map(({ id, name, base, bytes: size, at }) => (
            <li key={id}>
              <span>
                <b>{name}</b>{" "}
                <small>
                  over {base.name}
                  {base.key !== lab.base.key && ", which is chosen under Train to use it"},{" "}
                  {bytes(size)}, {new Date(at).toLocaleString()}
                </small>
              </span>
              <button type="button" disabled={isTrained(id)} onClick={() => forgetRun(id)}>
                Forget {name}
              </button>
            </li>
          ))}
          {repositories.map((each) => (
            <li key={`${each.type} ${each.name}`}>
              <span>
                <b>{each.name}</b>{" "}
                <small>{each.type === "model" ? "model" : "data set"}, {bytes(each.bytes)}</small>
              </span>
              <button type="button" disabled={isUsed(each)} onClick={() => forget(each)}>
                Forget {each.name}
              </button>
            </li>
          ))}
        </ul>
      )}
      {all > 0 && (
        <p class="actions">
          <button type="button" class="quiet" disabled={lab.isTaken} onClick={forgetAll}>
            Forget all
          </button>
        </p>
      )}
      {[keeper.problem, problem].filter((each) => each !== undefined).map((each) => (
        <p key={each} class="problem" role="alert">{each}</p>
      ))}
    </div>
  );
}
