/** A state on disk is the state, bit for bit; what is damaged is refused by its name. */
import assert from "node:assert/strict";
import { memoryFolder } from "../../models/files/folder.ts";
import { piecesOf, type RunFile } from "../../models/files/run_file.ts";
import { loraDefaults } from "../../models/peft/lora.ts";
import type { Method } from "../../models/peft/methods.ts";
import type { TrainState } from "../../models/training/state.ts";
import { readState, stateFiles } from "../../models/training/state_files.ts";
import { start } from "./small_task.ts";

async function capture(method: Method): Promise<TrainState> {
  for await (const event of await start(method, { epochs: 2 }, { checkpointSteps: 4 })) {
    // After the first epoch, so that there is a best one.
    if (event.type === "checkpoint" && event.step === 8) return await event.capture();
  }
  throw new Error("No checkpoint after 8 steps.");
}

const asFolder = (files: RunFile[]) =>
  memoryFolder(
    "step-8",
    new Map(files.map((file) => {
      const bytes = new Uint8Array(piecesOf(file).flatMap((piece) => [...piece]));
      return [file.name, bytes];
    })),
  );

const methods: Method[] = [
  { method: "full" },
  loraDefaults(4),
  { method: "adapter", size: 8, placement: "shared" },
];
for (const method of methods) {
  Deno.test(`${method.method}: a state survives its files`, async () => {
    const state = await capture(method);
    assert.ok(state.best && state.optimizer.moments.size > 0);
    assert.deepEqual(await readState(asFolder(stateFiles(state))), structuredClone(state));
    state.optimizer.lossScale = { factor: 512, steps: 3 }; // of one in f16
    assert.deepEqual(await readState(asFolder(stateFiles(state))), structuredClone(state));
  });
}

Deno.test("a state of which something is missing or damaged is refused, and the file named", async () => {
  const files = stateFiles(await capture(loraDefaults(4)));
  const refused = async (message: RegExp, change: (file: RunFile) => RunFile | undefined) => {
    const changed = files.map((file) => change(file)).filter((file) => file !== undefined);
    await assert.rejects(readState(asFolder(changed)), message);
  };
  for (const { name } of files) {
    await refused(
      new RegExp(`no file step-8/${name}`),
      (file) => file.name === name ? undefined : file,
    );
  }
  const inFacts = (from: RegExp, to: string) => (file: RunFile) =>
    "content" in file ? { ...file, content: String(file.content).replace(from, to) } : file;
  await refused(
    /state\.json is of format 3; this version reads 2/,
    inFacts(/"format": 2/, '"format": 3'),
  );
  await refused(/state\.json is damaged: it lacks step/, inFacts(/"step": 8/, '"steps": 8'));
  await refused(
    /state\.json is damaged: it lacks optimizer/,
    inFacts(/"optimizer": \{/, '"optimizer": { "lossScale": { "factor": "1" },'),
  );
  await refused(/state\.json is not JSON/, inFacts(/\}\s*$/, ""));
  await refused(/moments\.safetensors lacks the moments of "/, (file) => {
    if (file.name !== "moments.safetensors" || !("tensors" in file)) return file;
    return { ...file, tensors: new Map([...file.tensors].slice(1)) };
  });
});
