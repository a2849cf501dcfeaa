/** How many parameters a rank has, and how much of a full fine-tuning's change it could hold. */
/// <reference lib="dom" />
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { loraDefaults } from "../../models/peft/lora.ts";
import { countParameters } from "../../models/peft/methods.ts";
import type { Lab } from "../lab/lab.ts";
import { rankErrors, singularValues } from "../lab/singular_values.ts";
import type { Trained } from "../lab/trained.ts";
import { Slider } from "./fields.tsx";
import { count, percent } from "./format.ts";
import { type PartProps, useWidth } from "./hooks.ts";

const ranks = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128];

/** The matrix whose change is measured. */
const measured = "bert.encoder.layer.0.attention.self.query.weight";

/** The singular values of what a full fine-tuning has changed in a matrix. */
async function changeOf(lab: Lab, run: Trained): Promise<number[]> {
  const tensor = run.weights.get(measured)!;
  const base = await lab.base.frozen(lab.device);
  const before = await base.get(measured).read();
  return singularValues(tensor.data.map((value, i) => value - before[i]), tensor.shape[1]);
}

export function RankPart({ lab, shown }: PartProps) {
  const [at, setAt] = useState(ranks.indexOf(8));
  const [change, setChange] = useState<{ run: Trained; values: number[] }>();
  const { config } = lab.base;
  const classes = lab.data.dataset.labels.length;
  const rank = ranks[at];
  const { trainable, total } = countParameters(config, loraDefaults(rank), classes);
  const one = countParameters(config, loraDefaults(1), classes).trainable;
  const two = countParameters(config, loraDefaults(2), classes).trainable;
  const perRank = two - one;
  const full = lab.runs.findLast(({ method, weights }) =>
    method.method === "full" && weights.has(measured)
  );
  useEffect(() => {
    if (shown && full && full !== change?.run) {
      void changeOf(lab, full).then((values) => setChange({ run: full, values }));
    }
  }, [full, shown]);
  return (
    <div class="panel">
      <h3>What a rank holds</h3>
      <p class="formula">
        y = x Wᵀ + s · (x Aᵀ) Bᵀ, with A [{rank}, {config.hiddenSize}] and B [{config.hiddenSize},
        {" "}
        {rank}]
      </p>
      <Slider label="Rank" at={at} values={ranks} onChange={setAt} />
      <p class="facts" aria-live="polite">
        <b>{count(trainable)}</b> of {count(total)} parameters train ({percent(trainable, total)}
        ): {count(perRank)} for each rank, in query and value of {config.layers}{" "}
        layers, and the classifier's {count(one - perRank)}.
      </p>
      {change
        ? <Errors values={change.values} rank={rank} name={change.run.name} />
        : (
          <p class="hint">
            Train a run of the method “Full”, and this shows how much of what it changed in W a
            product of this rank could hold.
          </p>
        )}
    </div>
  );
}

function Errors({ values, rank, name }: { values: number[]; rank: number; name: string }) {
  const place = useRef<HTMLDivElement>(null);
  const errors = useMemo(() => rankErrors(values), [values]);
  const width = useWidth(place);
  useEffect(() => {
    if (width === undefined) return;
    void import("./plot.ts").then(({ spectrum }) =>
      place.current?.replaceChildren(spectrum(values, rank, width))
    );
  }, [values, rank, width]);
  return (
    <>
      <p class="facts" aria-live="polite">
        Of ΔW, which {name} changed in the query of layer 0, the best product of rank {rank} misses
        {" "}
        <b>{percent(errors[Math.min(rank, values.length)], 1)}</b>{" "}
        (Frobenius norm). Its singular values:
      </p>
      <div ref={place} class="drawing" />
    </>
  );
}
