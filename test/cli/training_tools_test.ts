/** The real tools, as far as they turn the engine's errors into the user's. */
import assert from "node:assert/strict";
import { trainingTools } from "../../cli/train/training_tools.ts";
import { createDevice } from "../../engine/device.ts";
import { UserError } from "../../models/errors.ts";

const granted = await createDevice({ matmulPrecision: "f16" }).then((device) => {
  device.destroy();
  return true;
}, () => false);

Deno.test("f16 products where the adapter has none are a sentence that says why", {
  ignore: granted,
}, async () => {
  await assert.rejects(trainingTools.createDevice({ matmulPrecision: "f16" }), (error) => {
    assert.ok(error instanceof UserError);
    assert.equal(error.exitCode, 1);
    assert.match(
      error.message,
      /^--matmul_precision f16 needs cooperative matrices, which this adapter does not grant: \S.*[^.]\. (Try --backend dawn, or leave|Leave) it out to train in f32\.$/,
    );
    return true;
  });
});
