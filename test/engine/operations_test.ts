/** Every operation of the engine, forward and backward, against the float64 reference. */
import { createDevice, Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { loraLinears, opCases } from "../../gradcheck/op_cases.ts";
import { embedding, repeated } from "../../gradcheck/row_cases.ts";
import { checkOp } from "./check.ts";

const device = await createDevice({
  kernels: { matmul: registerPlan(1, 1) },
});
const { gpu, info, kernels } = device;
/** The engine on the same GPU with the kernels that any GPU runs. */
const plain = new Device(gpu, info, { ...kernels, rowLanes: 32, broadcastLanes: 0 });
/** As if a binding had 4 kB. */
const pieces = new Device(gpu, info, kernels, 4096);

for (const [name, cases] of Object.entries(opCases)) {
  Deno.test(`${name}: result and gradients`, async () => {
    for (const op of cases) await checkOp(device, name, op);
  });
}

Deno.test("LoRA: sums shared by a workgroup, in place of ranks handed round", async () => {
  for (const op of loraLinears) await checkOp(plain, "linear, plain", op);
});

Deno.test("rows on the lanes of a GPU, more and fewer than a row has vectors", async () => {
  for (const op of opCases.layerNorm) await checkOp(plain, "layerNorm on 32 lanes", op);
  for (const op of opCases.softmax) await checkOp(plain, "softmax on 32 lanes", op);
});

Deno.test("a table above the binding limit is bound in pieces", async () => {
  await checkOp(pieces, "embedding in pieces", embedding(150, 12, repeated(150)));
  await checkOp(pieces, "embedding in pieces", embedding(192, 16, repeated(192)));
});

Deno.test("an elementwise operation above the binding limit runs in pieces", async () => {
  for (const name of ["gelu", "add"] as const) {
    await checkOp(pieces, `${name} in pieces`, {
      ...opCases[name][0],
      shapes: opCases[name][0].shapes.map(() => [211, 13]),
    });
  }
});
