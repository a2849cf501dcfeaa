/** Exercise 3: a gradient of LayerNorm that is wrong, and what sees it. */
import { createDevice } from "../../../engine/mod.ts";
import { allowed, checksFor, runChecks } from "../../../gradcheck/mod.ts";
import { type Exercise, missing, type Outcome, solved } from "./exercise.ts";

async function check(): Promise<Outcome> {
  const device = await createDevice();
  try {
    for await (const row of runChecks(device, checksFor(device, { only: ["layerNorm"] }))) {
      if (row.message !== undefined) return missing(`The kernel does not compile: ${row.message}`);
      const { forward = 0, gradient = 0 } = row;
      if (forward > allowed.forward) {
        return missing(
          `The forward pass is wrong too, by ${forward.toExponential(1)}: leave it as it is.`,
        );
      }
      if (gradient <= allowed.gradient) {
        return missing("LayerNorm's gradients are right: break one of the three.");
      }
      if (!Number.isFinite(gradient)) {
        return missing("The gradient is no number, which anybody sees. Leave a term out instead.");
      }
      return solved(
        `The gradient is off by up to ${
          gradient.toExponential(1)
        }, and no test of a forward pass ` +
          `sees it. Gradcheck does, at ${row.worst}; so do the tests: ` +
          "deno test -P=test --filter layerNorm test/engine/. See whether a loss does, and undo " +
          "it: git checkout kernels/layer_norm.wgsl.",
      );
    }
    return missing("Gradcheck has no row for layerNorm.");
  } finally {
    device.destroy();
  }
}

export const layerNorm: Exercise = {
  title: "Break LayerNorm's gradient, and see what catches it",
  file: "kernels/layer_norm.wgsl",
  check,
};
