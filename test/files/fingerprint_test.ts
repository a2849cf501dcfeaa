/** A folder's weights are known again by all of their bytes. */
import assert from "node:assert/strict";
import { memoryFolder } from "../../models/files/folder.ts";
import { weightsDiffer, weightsFingerprint } from "../../models/host/fingerprint.ts";

Deno.test("a changed byte anywhere, a name and a size change a fingerprint; other files do not", async () => {
  const bytes = new Uint8Array(9 << 20);
  const of = (files: Record<string, Uint8Array>) =>
    weightsFingerprint(memoryFolder("m", new Map(Object.entries(files))));
  const known = await of({ "model.safetensors": bytes });
  assert.match(known, /^sha256:[0-9a-f]{64}$/);
  const middle = bytes.slice();
  middle[bytes.length / 2] = 1;
  const others: Record<string, Uint8Array>[] = [
    { "model.safetensors": middle },
    { "other.safetensors": bytes },
    { "model.safetensors": bytes.subarray(1) },
    { "model.safetensors": bytes, "more.safetensors": new Uint8Array(1) },
  ];
  for (const files of others) assert.ok(weightsDiffer(known, await of(files)));
  const same = await of({ "config.json": middle, "model.safetensors": bytes });
  assert.equal(weightsDiffer(known, same), false);
});

Deno.test("what older versions kept is compared with nothing", () => {
  for (const recorded of [undefined, "0".repeat(64)]) {
    assert.equal(weightsDiffer(recorded, `sha256:${"1".repeat(64)}`), false);
  }
});
