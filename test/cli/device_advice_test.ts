/** The engine's errors have the facts; the command line adds what to do. */
import assert from "node:assert/strict";
import {
  adviceForEvaluation,
  adviceForPrediction,
  messageWithAdvice,
} from "../../cli/shared/advice.ts";
import { adviceForAdapter, adviceForDevice } from "../../cli/shared/device_advice.ts";
import {
  AdapterTooSmallError,
  BindingTooLargeError,
  DeviceError,
  DeviceLostError,
  NoAdapterError,
  OutOfMemoryError,
} from "../../engine/errors.ts";

const memory = { bytes: 158e6, held: 3e9, purpose: "step arena", use: "batch" } as const;
const binding = { bytes: 158e6, limit: 134e6, kernel: "gelu.forward", binding: "x" };
const noAdapter = new NoAdapterError();
const tooSmall = new AdapterTooSmallError({ description: "GL", needed: 8, offered: 4 });
const outOfMemory = new OutOfMemoryError(memory);
const overLimit = new OutOfMemoryError({ ...memory, limit: 134e6 });
const tooLarge = new BindingTooLargeError({ ...binding, purpose: "step arena", use: "batch" });
const table = "bert.embeddings.word_embeddings.weight";
const frozen = { ...memory, purpose: table, use: "frozen" } as const;
const trained = { ...memory, purpose: "first moments", use: "trained" } as const;
const lost = new DeviceLostError({ reason: "unknown", message: "driver reset" });
const destroyed = new DeviceLostError({ reason: "destroyed", message: "" });
const all = [noAdapter, tooSmall, outOfMemory, overLimit, tooLarge, lost, destroyed];

Deno.test("the engine's messages name no flag, no package and no document", () => {
  for (const { message } of all) assert.doesNotMatch(message, /--|apt-get|README|run again/);
});

Deno.test("every error that something can be done about gets a sentence on it", () => {
  const message = (error: Error) => messageWithAdvice(error);
  assert.equal(
    message(noAdapter),
    "No WebGPU adapter. On Debian or Ubuntu: apt-get install mesa-vulkan-drivers. " +
      'See README, "No GPU".',
  );
  assert.match(
    message(tooSmall),
    /"GL" lets a kernel bind 4 buffers; 8 are .* README, "No GPU"\.$/,
  );
  assert.equal(
    message(outOfMemory),
    "Out of GPU memory: 158 MB asked for the step arena, 3.0 GB held. Lower --batch_size (and " +
      "raise --gradient_accumulation_steps) or --max_length, or take --compute_dtype f16 or " +
      "--gradient_checkpointing.",
  );
  assert.match(
    message(overLimit),
    /may have 134 MB\. Lower --batch_size .* or --max_length, or take --compute_dtype f16\.$/,
  );
  assert.equal(
    message(tooLarge),
    'Kernel gelu.forward: its "x" (of the step arena) has 158 MB; this adapter binds 134 MB at ' +
      "most. Lower --batch_size (and raise --gradient_accumulation_steps) or --max_length.",
  );
  assert.equal(
    message(lost),
    "The GPU was lost (driver reset). Finished runs are kept; run again.",
  );
  assert.equal(message(destroyed), "This device was destroyed.");
  assert.equal(adviceForDevice(new DeviceError("Kernel x: typo")), undefined);
  assert.equal(message(new Error("a mistake of ours")), "a mistake of ours");
});

Deno.test("where the weights are too large, a smaller batch is no advice", () => {
  const model = [
    new OutOfMemoryError(frozen),
    new OutOfMemoryError({ ...frozen, limit: 134e6 }),
    new OutOfMemoryError(trained),
    new OutOfMemoryError({ ...trained, limit: 134e6 }),
    new BindingTooLargeError({ ...binding, purpose: table, use: "frozen" }),
  ];
  const advised = model.map((error) => adviceForDevice(error) ?? "");
  for (const advice of advised) {
    assert.doesNotMatch(advice, /--batch_size|--max_length|checkpointing/);
    assert.match(advice, /--model_name/);
  }
  const helps = (flag: string) => advised.map((advice) => advice.includes(flag));
  assert.deepEqual(helps("--frozen_dtype bf16"), [true, false, false, false, false]);
  assert.deepEqual(helps("--method lora"), [false, false, true, false, false]);
  for (const error of model) {
    for (const advice of [adviceForPrediction, adviceForEvaluation]) {
      assert.match(advice(error) ?? "", /^The model itself is too large: /);
    }
  }
});

Deno.test("a benchmark has no training flags to advise", () => {
  const advised = all.filter((error) => adviceForAdapter(error) !== undefined);
  assert.deepEqual(advised, [noAdapter, tooSmall]);
});
