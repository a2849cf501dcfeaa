/** The model, its gradients and AdamW against the real transformers, peft and adapters. */
import assert from "node:assert/strict";
import { noGrad } from "../../engine/tape.ts";
import { countParameters } from "../../models/peft/methods.ts";
import { testDevice } from "./device.ts";
import { distance, goldenMethods, goldenModel, openGolden, packGolden } from "./goldens.ts";
import { compareGradients, compareSteps } from "./golden_run.ts";

for (const run of ["full", "roberta-full", "distilbert-full"]) {
  Deno.test(`${run}: hidden states of every layer equal transformers'`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const built = await goldenModel(device, source);
    device.beginStep(0, 0);
    const batch = packGolden(device, source, source.batches[0]);
    const states = noGrad(() => built.model.hiddenStates(batch));
    assert.equal(states.length, source.config.layers + 1);
    for (const [layer, state] of states.entries()) {
      const expected = await source.tensor("hidden", String(layer));
      const actual = (await state.read()).subarray(0, expected.length);
      assert.ok(distance(actual, expected) < 1e-5 * distance(expected), `hidden state ${layer}`);
    }
    device.endStep();
    built.destroy();
    source.close();
  });
}

for (const run of Object.keys(goldenMethods)) {
  Deno.test(`${run}: logits, loss and every gradient equal the reference's`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const built = await goldenModel(device, source);
    const { logits, loss, worst, count } = await compareGradients(device, source, built);
    assert.ok(logits < 1e-4, `logits are off by ${logits}`);
    assert.ok(loss < 1e-5, `the loss is off by ${loss}`);
    assert.ok(worst.ratio < 1, `gradient of ${worst.name}: ${worst.ratio} of what is allowed`);
    assert.equal(count, source.numbers.trainable);
    assert.equal(countParameters(source.config, source.method, 5).trainable, count);
    built.destroy();
    source.close();
  });

  Deno.test(`${run}: six AdamW steps follow the reference's losses, norms and weights`, async () => {
    const device = await testDevice();
    const source = await openGolden(run);
    const built = await goldenModel(device, source);
    const { records, loss, norm, worst, weights } = await compareSteps(device, source, built);
    records.forEach(({ learningRate }, step) => {
      assert.ok(Math.abs(learningRate - source.numbers.steps[step].learning_rate) < 1e-9);
    });
    assert.ok(loss < 1e-4, `a loss is off by ${loss}`);
    assert.ok(norm < 1e-4, `a gradient norm is off by ${norm}`);
    assert.ok(weights < 1e-4, `weights are off by ${weights}`);
    assert.ok(worst.error < 2e-4, `${worst.name}: its update is off by ${worst.error} of itself`);
    built.destroy();
    source.close();
  });
}
