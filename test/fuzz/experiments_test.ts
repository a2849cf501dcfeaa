/** Damaged files of an experiment: what a report, a comparison and `--resume` read back, and the tuning cache. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { writeReport } from "../../cli/report/write.ts";
import { writeComparison } from "../../cli/train/comparing/comparison_files.ts";
import { comparisonRemarks, comparisonTable } from "../../cli/train/comparing/comparison_files.ts";
import { findResumed } from "../../cli/train/resume.ts";
import { parseFlags } from "../../cli/train/flags.ts";
import { readTuning, tunedAdapters } from "../../cli/train/tuning_cache.ts";
import { readTrials } from "../../cli/train/tuned_rate.ts";
import { newestCheckpoint, writeCheckpoint } from "../../cli/train/checkpoints.ts";
import { plansAmong, registerPlan } from "../../engine/plans.ts";
import { defaultHyperparameters as hyperparameters } from "../../models/training/events.ts";
import { experiment } from "../cli/experiment.ts";
import { stateOf, tinyConfig } from "../cli/fake_tools.ts";
import { withFolder } from "../files/temporary.ts";
import { type Files, filesOf, fuzzOnDisk } from "./fuzz.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const json = (value: unknown) => encoder.encode(JSON.stringify(value));

/** The files of an experiment of two runs, as training writes them. */
async function finished(): Promise<Files> {
  let files: Files = new Map();
  await withFolder(async (folder) => {
    await experiment(folder, ["--experiment", "e", "--method", "lora", "--rank", "4,8"]);
    files = await filesOf(join(folder, "e"));
  });
  return new Map(
    [...files].filter(([name]) => !/\.(safetensors|html|csv|md|tex)$|^logs/.test(name)),
  );
}

const told = ["lora-r4/run.json", "lora-r4/steps.jsonl", "lora-r4/predictions.jsonl"];

fuzzOnDisk("a damaged run, as a report tells it", finished, async (folder) => {
  const path = join(folder, "page.html");
  const { problems } = await writeReport([folder], path);
  return { page: await Deno.readTextFile(path), problems };
}, {
  names: [...told, "comparison.json"],
  runs: 40,
  check({ page, problems }, damaged) {
    const shown = page.replace(/<(script|style)\b[^]*?<\/\1>/g, "");
    // deno-lint-ignore no-control-regex
    assert.doesNotMatch(shown, /<script|[\x00-\x08\x0b-\x1f]|>undefined<|\[object /);
    if (!told.some((name) => decoder.decode(damaged.get(name)).includes('"NaN"'))) {
      assert.doesNotMatch(shown, />NaN</); // which is a label's name there
    }
    for (const problem of problems) assert.ok(problem.length < 2500, problem.slice(0, 400));
  },
});

fuzzOnDisk("a damaged run, as a comparison reads it", finished, async (folder) => {
  const comparison = await writeComparison(folder, "lora-r8");
  return [...comparisonTable(comparison, 80), ...comparisonRemarks(comparison)];
}, {
  names: told,
  check(lines) {
    const figures = lines.filter((line) => !line.startsWith("Not compared"));
    assert.doesNotMatch(figures.join("\n"), /NaN|undefined|\[object/);
  },
});

const plan = registerPlan(2, 2);
const key = "a GPU|nobody|1";
const command = ["--experiment", "e", "--method", "lora", "--model_name", "mini", "--use_sample"];

fuzzOnDisk("a damaged command.json, as --resume reads it", () =>
  Promise.resolve(
    new Map([[
      "checkpoints/command.json",
      json({
        command,
        runs: ["lora-r4", "lora-r8"],
        done: ["lora-r4"],
        model: { name: "mini", weights: "sha256:00" },
        dataset_hash: "h",
        class_weights: { anger: 1, joy: 2 },
        tuning: { key, plans: { "NT f32 small": plan }, refused: [{ plan, reason: "no" }] },
      }),
    ]]),
  ), async (folder) => {
  const asked = parseFlags(["--resume", folder]);
  assert.ok(asked.kind === "flags");
  const found = await findResumed(asked.flags);
  assert.ok(!found.finished);
  plansAmong([plan], found.resumed.work.tuning.plans);
  return { found, folder };
}, {
  check({ found, folder }) {
    assert.equal(found.resumed.folder, folder);
    for (const name of found.resumed.work.runs) assert.equal(typeof name, "string");
  },
});

fuzzOnDisk("a damaged kernels.json", () =>
  Promise.resolve(
    new Map([[
      "kernels.json",
      json({
        version: 2,
        adapters: {
          [key]: {
            tuned: "now",
            plans: { "NT f32 small": plan },
            refused: [{ plan, reason: "no" }],
          },
          other: { tuned: "now", plans: {}, refused: [] },
        },
      }),
    ]]),
  ), async (folder) => {
  const path = join(folder, "kernels.json");
  const { plans, refused, damage } = await readTuning(path, key);
  await tunedAdapters(path).catch((error) => assert.ok(error instanceof Error)); // doctor tells it
  assert.ok(damage === undefined || Object.keys(plans).length + refused.length === 0);
  return plansAmong([plan], plans);
}, {
  check: (plans) => Object.values(plans).forEach((each) => assert.deepEqual(each, plan)),
});

fuzzOnDisk(
  "damaged trials of a learning rate",
  () =>
    Promise.resolve(
      new Map([[
        "checkpoints/lora.trials.json",
        json({
          trials: [
            { learningRate: 1e-3, steps: 20, loss: 1.5, macroF1: 0.5 },
            { learningRate: 1e-4, steps: 20 },
          ],
        }),
      ]]),
    ),
  (folder) => readTrials(join(folder, "checkpoints"), "lora"),
  {
    check(trials) {
      for (const { learningRate, steps, loss, macroF1 } of trials) {
        assert.ok(learningRate > 0 && Number.isFinite(learningRate) && Number.isSafeInteger(steps));
        for (const value of [loss, macroF1]) {
          assert.ok(value === undefined || Number.isFinite(value));
        }
      }
    },
  },
);

const stopped = (step: number) => ({
  state: stateOf({ method: { method: "full" as const }, model: tinyConfig, hyperparameters }, step),
  history: { started: new Date(0).toISOString(), resumed_at_steps: [], warnings: [] },
  steps: Array.from({ length: step }, (_, index) => `{"step":${index + 1}}\n`),
});

fuzzOnDisk(
  "a checkpoint of which something is damaged is used only where it is whole",
  async () => {
    let files: Files = new Map();
    await withFolder(async (folder) => {
      const options = { keep: 2, unfinished: new Set<string>() };
      for (const step of [1, 2]) await writeCheckpoint(folder, stopped(step), options);
      files = await filesOf(folder);
    });
    return files;
  },
  async (folder) => {
    const notices: string[] = [];
    const used = await newestCheckpoint(folder, (text) => notices.push(text));
    return { used, notices };
  },
  {
    names: ["run.json", "state.json", "steps.jsonl", "weights.safetensors", "moments.safetensors"]
      .map((name) => `step-2/${name}`),
    check({ used, notices }) {
      const step = used?.state.step ?? 0;
      assert.deepEqual(used, structuredClone(stopped(step)));
      assert.equal(notices.length, step === 2 ? 0 : 1, notices.join());
    },
  },
);
