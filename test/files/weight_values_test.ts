/** Values of weights: every one is a finite number, or its tensor is named. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { openWeights } from "../../models/encoders/weights.ts";
import { UserError } from "../../models/errors.ts";
import { readTensors } from "../../models/files/run_file.ts";
import { hostFolder } from "../../models/host/files.ts";
import { classes, config, inF16, renamed, specsOf, write } from "./checkpoints.ts";
import { folderTest } from "./temporary.ts";

for (const dtype of ["F32", "F16"]) {
  folderTest(
    `${dtype}: a value that is no finite number is found by its tensor`,
    async (folder) => {
      const name = "bert.encoder.layer.1.attention.self.key.bias";
      const bare = "encoder.layer.1.attention.self.key.bias"; // its name in the file
      const [damaged] = specsOf().filter((spec) => spec.name === name);
      const rest = specsOf().filter((spec) => spec.name !== name);
      for (const value of [NaN, Infinity, -Infinity]) {
        const tensors = renamed((name) => name.replace(/^bert\./, ""));
        const { shape, data } = tensors.get(bare)!;
        tensors.set(bare, { shape, data: data.with(7, value) });
        if (dtype === "F32") await write(folder, tensors);
        else await Deno.writeFile(join(folder, "model.safetensors"), inF16(tensors));
        const source = await openWeights(hostFolder(folder), config, classes);
        await assert.rejects(source.read(damaged), (error) => {
          assert(error instanceof UserError, String(error));
          assert(
            error.message.startsWith(`${folder}: "${bare}" holds ${value} (value 7 of 32): `),
            error.message,
          );
          return true;
        });
        for (const spec of rest) {
          assert((await source.read(spec))?.every(Number.isFinite), spec.name);
        }
        source.close();
      }
    },
  );
}

folderTest("a run's file with a value that is no finite number is refused", async (folder) => {
  const tensors = new Map([["a", { shape: [2], data: Float32Array.of(1, 2) }]]);
  await write(folder, tensors, "good.safetensors");
  assert.deepEqual(await readTensors(hostFolder(folder), "good.safetensors"), tensors);
  tensors.get("a")!.data[1] = NaN;
  await write(folder, tensors, "bad.safetensors");
  await assert.rejects(readTensors(hostFolder(folder), "bad.safetensors"), (error) => {
    assert(error instanceof UserError);
    assert.match(error.message, /bad\.safetensors: "a" holds NaN \(value 1 of 2\): .*damaged/);
    return true;
  });
});
