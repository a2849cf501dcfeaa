/** Something of the hub by its name: looked up first, and fetched when its size is known. */
/// <reference lib="dom" />
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { Repository } from "../../models/hub/repository.ts";
import type { Found } from "../lab/hub/fetching.ts";
import { keptRepositories } from "../lab/hub/kept_files.ts";
import { bytes, sentenceOf } from "./format.ts";

interface Props<Made> {
  /** Of what kind it is; names of which files are kept are offered. */
  type: Repository["type"];
  label: string;
  /** What the field has before anything is entered. */
  example: string;
  disabled?: boolean;
  find(name: string, signal: AbortSignal): Promise<Found<Made>>;
  use(made: Made): Promise<void>;
}

type State<Made> =
  | { at: "start" | "asking" }
  | { at: "found" | "used"; found: Found<Made> }
  | { at: "fetching"; found: Found<Made>; heard: number };

export function HubField<Made>({ type, label, example, disabled, find, use }: Props<Made>) {
  const id = useId();
  const [name, setName] = useState(example);
  const [state, setState] = useState<State<Made>>({ at: "start" });
  const [problem, setProblem] = useState<string>();
  const doing = useRef<AbortController>(undefined);
  const [kept, setKept] = useState<readonly string[]>([]);
  useEffect(() => {
    keptRepositories()
      .then((all) => setKept(all.filter((each) => each.type === type).map(({ name }) => name)))
      .catch(() => {}); // nothing is offered, and all can be entered
    return () => doing.current?.abort();
  }, []);

  /** Does something that can be ended; afterwards the state is what that returns, or, where it fails, `before`. */
  const run = async (
    before: State<Made>,
    work: (signal: AbortSignal) => Promise<State<Made>>,
  ) => {
    const controller = doing.current = new AbortController();
    setProblem(undefined);
    try {
      setState(await work(controller.signal));
    } catch (error) {
      setState(before);
      if (!controller.signal.aborted) setProblem(sentenceOf(error));
    }
  };
  const look = () => {
    setState({ at: "asking" });
    void run({ at: "start" }, async (signal) => ({ at: "found", found: await find(name, signal) }));
  };
  const fetchIt = (found: Found<Made>) => {
    let heard = 0;
    setState({ at: "fetching", found, heard });
    void run({ at: "found", found }, async (signal) => {
      const made = await found.fetch(signal, (bytes) => {
        heard += bytes;
        setState({ at: "fetching", found, heard });
      });
      await use(made);
      return { at: "used", found: { ...found, missingBytes: 0 } };
    });
  };
  return (
    <>
      <form
        class="field"
        onSubmit={(event) => {
          event.preventDefault();
          look();
        }}
      >
        <label for={id}>{label}</label>
        <div class="beside">
          <input
            id={id}
            type="text"
            value={name}
            list={`${id}-kept`}
            spellcheck={false}
            autocapitalize="none"
            autocomplete="off"
            disabled={disabled || state.at === "fetching"}
            aria-describedby={`${id}-hint`}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
          />
          <datalist id={`${id}-kept`}>
            {kept.map((each) => <option key={each} value={each} />)}
          </datalist>
          <button
            type="submit"
            disabled={disabled || name.trim() === "" || ["asking", "fetching"].includes(state.at)}
          >
            Look it up
          </button>
        </div>
        <small id={`${id}-hint`}>
          Asks huggingface.co for that name, and tells it nothing else.
        </small>
      </form>
      <p class="hint" role="status">{sayingOf(state)}</p>
      {"found" in state && (
        <>
          {state.at === "fetching" && (
            <progress
              max={Math.max(state.found.bytes, 1)}
              value={state.heard}
              aria-label={`Bytes of ${name}`}
            />
          )}
          <p class="actions">
            <button
              type="button"
              class={state.at === "fetching" ? "" : "main"}
              disabled={disabled}
              onClick={() =>
                state.at === "fetching" ? doing.current?.abort() : fetchIt(state.found)}
            >
              {state.at === "fetching"
                ? "Cancel"
                : state.found.missingBytes > 0
                ? `Download ${bytes(state.found.missingBytes)} and use it`
                : "Use it"}
            </button>
            {state.at === "fetching" && (
              <span class="hint">{bytes(state.heard)} of {bytes(state.found.bytes)}</span>
            )}
          </p>
        </>
      )}
      {problem && <p class="problem" role="alert">{problem}</p>}
    </>
  );
}

/** What is said to those who hear the page: a change of state, and not each byte. */
function sayingOf(state: State<unknown>): string {
  if (!("found" in state)) return state.at === "start" ? "" : "Asking huggingface.co …";
  const { about, bytes: all, missingBytes } = state.found;
  if (state.at === "used") return `${about}. In use, and kept in this browser.`;
  if (state.at === "fetching") return `${about}. On its way …`;
  const size = missingBytes === 0
    ? `${bytes(all)}, kept in this browser`
    : missingBytes < all
    ? `${bytes(missingBytes)} of ${bytes(all)} to download`
    : `${bytes(all)} to download`;
  return `${about}. ${size}.`;
}
