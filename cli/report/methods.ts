/** Runs of a method under several seeds as one, and how methods differ, as the experiment's comparison tells. */
import { dirname } from "node:path";
import { mean } from "../../models/training/metrics.ts";
import type { ShownRun } from "./model.ts";
import type { ReadExperiments } from "./read.ts";
import type { ComparedMethods } from "./schema.ts";
import type { JudgedRun } from "./verdict.ts";

/** A method in one configuration. */
export interface Method extends JudgedRun {
  /** Indices of its runs, one a seed. */
  runs: number[];
  accuracyDeviation?: number;
  macroF1Interval?: [number, number];
  macroF1Deviation?: number;
}

export interface Pair {
  first: string;
  second: string;
  /** The first's macro F1 less the second's. */
  difference: number;
  interval: [number, number];
  /** McNemar's p value. */
  p: number;
  toldApart: boolean;
}

/** The experiment's folder, and the method's name in it. */
const keyOf = ({ folder, fields: { run, group = run } }: ShownRun) => ({
  experiment: dirname(folder),
  group,
});

/** What seeds of one method have in common. A rate that was searched for is each seed's own. */
const methodKey = (run: ShownRun) => {
  const { learning_rate_trials: trials, hyperparameters } = run.fields;
  const rate = trials === undefined ? hyperparameters.learning_rate : "tuned";
  return [...Object.values(keyOf(run)), rate].join("/");
};

/** The methods of a comparison's runs, in the runs' order. */
export function methodsOf(
  runs: readonly ShownRun[],
  compared: ReadExperiments["compared"],
): Method[] {
  const groups = Map.groupBy(
    runs.map((_, index) => index),
    (index) => methodKey(runs[index]),
  );
  return [...groups.values()].map((indices): Method => {
    const members = indices.map((index) => runs[index]);
    const [first] = members;
    const { experiment, group } = keyOf(first);
    const told = compared.get(experiment)?.rows
      .find(({ run, runs }) => run === group && runs.length === members.length);
    return {
      name: members.length === 1 ? first.name : group,
      runs: indices,
      accuracy: mean(members.map(({ fields }) => fields.test.accuracy)),
      interval: told?.accuracy_interval_95 ?? first.fields.test.accuracy_interval_95,
      macroF1: mean(members.map(({ fields }) => fields.test.macro_f1)),
      trainable: first.fields.trainable_params,
      accuracyDeviation: told?.accuracy_deviation ?? undefined,
      macroF1Interval: told?.f1_score_interval_95 ?? first.macroF1Interval,
      macroF1Deviation: told?.f1_score_deviation ?? undefined,
    };
  });
}

/** The pairs of an experiment's comparison, under the methods' names here. None where runs are of several experiments. */
export function pairsOf(
  methods: readonly Method[],
  compared: ReadExperiments["compared"],
  runs: readonly ShownRun[],
): Pair[] {
  const keys = methods.map(({ runs: [first] }) => keyOf(runs[first]));
  const [{ experiment }] = keys;
  if (keys.some((key) => key.experiment !== experiment)) return [];
  const names = new Map(keys.map(({ group }, index) => [group, methods[index].name]));
  return (compared.get(experiment)?.pairs ?? []).flatMap((pair) => {
    const [first, second] = [names.get(pair.first), names.get(pair.second)];
    if (first === undefined || second === undefined) return [];
    return [{
      first,
      second,
      difference: pair.f1_score_difference,
      interval: pair.f1_score_difference_interval_95,
      p: pair.mcnemar_p,
      toldApart: pair.told_apart,
    }];
  });
}

/** The baselines of an experiment's comparison that has one of these runs: of the same test part, then. */
export function comparedBaselines(
  runs: readonly ShownRun[],
  compared: ReadExperiments["compared"],
): ComparedMethods["baselines"] {
  for (const run of runs) {
    const { rows = [], baselines = [] } = compared.get(keyOf(run).experiment) ?? {};
    const isThere = rows.some(({ runs }) => runs.includes(run.fields.run));
    if (isThere && baselines.length > 0) return baselines;
  }
  return [];
}
