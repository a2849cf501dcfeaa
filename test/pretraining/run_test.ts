/** Both objectives learn, go on to the same bits, and leave nothing behind. */
import assert from "node:assert/strict";
import type { PretrainState } from "../../models/pretraining/events.ts";
import { pretrain } from "../../models/pretraining/run.ts";
import { testDevice } from "../models/device.ts";
import { config, lossesOf, objectives, resultOf, run, sentences, settings } from "./small.ts";

const bits = ({ weights }: ReturnType<typeof resultOf>) =>
  [...weights].map(([name, { data }]) => `${name} ${new Uint32Array(data.buffer).join()}`);

/** 59 sentences are trained on, one is held out. */
const stepsPerEpoch = 8;

Deno.test("distillation: cosines rise, and the maps are thrown away", async () => {
  const { distil } = objectives;
  const events = await run(distil, { settings: { ...settings, epochs: 12 } });
  const losses = lossesOf(events);
  assert.equal(losses.length, 12 * stepsPerEpoch);
  assert.ok(losses[0] > 1.2 && losses.at(-1)! < 0.35, `${losses[0]} to ${losses.at(-1)}`);
  const { evaluations, weights } = resultOf(events);
  assert.deepEqual(
    evaluations.map(({ step }) => step / stepsPerEpoch),
    [...Array(12)].map((_, i) => i + 1),
  );
  const { pooled_cosine: pooled, mean_cosine: mean } = evaluations.at(-1)!.scores;
  assert.ok(pooled > 0.6 && mean > 0.6, `${pooled}, ${mean}`);
  assert.ok([...weights.keys()].every((name) => name.startsWith("bert.")));
  assert.ok(weights.has("bert.pooler.dense.weight"));
});

Deno.test("masked words: the loss falls below chance, and the head is kept, its decoder tied", async () => {
  const events = await run(objectives.mlm, { settings: { ...settings, epochs: 25 } });
  const losses = lossesOf(events);
  const last = losses.slice(-20).reduce((sum, loss) => sum + loss) / 20;
  assert.ok(losses[0] > 3.4 && last < 2.9, `${losses[0]} to ${last}; chance is ${Math.log(40)}`);
  const { weights, evaluations } = resultOf(events);
  assert.ok(evaluations.at(-1)!.scores.masked_loss > 0);
  const head = [...weights.keys()].filter((name) => name.startsWith("cls."));
  assert.deepEqual(head.sort(), [
    "cls.predictions.bias",
    "cls.predictions.transform.LayerNorm.bias",
    "cls.predictions.transform.LayerNorm.weight",
    "cls.predictions.transform.dense.bias",
    "cls.predictions.transform.dense.weight",
  ]);
});

for (const name of ["distil", "mlm"] as const) {
  Deno.test(`${name}: stopped within an epoch, it goes on later to the same bits`, async () => {
    const objective = objectives[name];
    const whole = await run(objective);
    const device = await testDevice();
    const texts = sentences.map(String);
    let asked = 0;
    const stopRequested = () => ++asked >= stepsPerEpoch + 3;
    let state: PretrainState | undefined;
    const options = { device, config, objective, settings, texts, hash: "0", stopRequested };
    for await (const event of pretrain(options)) {
      if (event.type !== "checkpoint" || event.step % stepsPerEpoch === 0) continue;
      state = await event.capture();
      break;
    }
    assert.ok(state && state.step > stepsPerEpoch);
    const rest = await run(objective, {}, structuredClone(state));
    assert.deepEqual(lossesOf(rest), lossesOf(whole).slice(state.step));
    assert.deepEqual(bits(resultOf(rest)), bits(resultOf(whole)));
    assert.deepEqual(resultOf(rest).evaluations, resultOf(whole).evaluations);
  });
}

Deno.test("a state of other texts or settings is refused by name", async () => {
  const { distil, mlm } = objectives;
  const device = await testDevice();
  let state: PretrainState | undefined;
  const options = { device, config, objective: distil, settings, texts: [], hash: "0" };
  const named = { ...options, texts: sentences.map(String) };
  for await (const event of pretrain(named)) {
    if (event.type !== "checkpoint") continue;
    state = await event.capture();
    break;
  }
  await assert.rejects(run(distil, { hash: "1" }, state), /its hash is "0", not "1"/);
  await assert.rejects(run(mlm, {}, state), /its objective is "distil", not "mlm"/);
  const other = { ...settings, learningRate: 1 };
  await assert.rejects(run(distil, { settings: other }, state), /settings\.learningRate/);
});

Deno.test("a rate that is too high ends with the step and its texts", async () => {
  const settingsOf = { ...settings, learningRate: 1e30 };
  await assert.rejects(run(objectives.mlm, { settings: settingsOf }), {
    name: "UserError",
    message: /^Step \d+ of 24 \(epoch 1, .*The learning rate is too high/,
  });
});

Deno.test("a consumer that stops at any event leaves no memory behind", async () => {
  const device = await testDevice();
  device.trim();
  const held = device.memory.heldBytes;
  const texts = sentences.map(String);
  for (const objective of Object.values(objectives)) {
    for (const type of ["start", "step", "evaluation", "checkpoint"] as const) {
      const options = { device, config, objective, settings, texts, hash: "0" };
      for await (const event of pretrain(options)) if (event.type === type) break;
      device.trim();
      assert.equal(device.memory.heldBytes, held, `${objective.name}, ${type}`);
    }
  }
});
