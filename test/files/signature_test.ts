import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { bytesSource } from "../../models/files/byte_source.ts";
import { encodeSafetensors } from "../../models/files/safetensors.ts";
import { openWeightsFile } from "../../models/files/weights_file.ts";

const bytesOf = (text: string) => Uint8Array.from(text, (character) => character.charCodeAt(0));

const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 438000000\n";

Deno.test("what is no safetensors file is told by its first bytes, and closed", async () => {
  const cases: [string, RegExp][] = [
    [pointer, /git-LFS pointer.* of 438000000 bytes/],
    ["PK\x03\x04 and more", /a zip archive.*model\.save_pretrained/],
    ["\x80\x02}q\x00.and more", /a pickle.*can run code/],
    ["GGUF\x03\x00\x00\x00", /GGUF/],
    ["\x1f\x8b\x08\x00\x00\x00\x00\x00", /gzip/],
    ["<!DOCTYPE html><html>", /a web page.* Download the file again/],
    ['\n\n  <html lang="en"></html>', /a web page/],
    ["<?xml version='1.0'?><Error><Code>AccessDenied</Code>", /a page of XML/],
    ['{"model_type": "bert"}', /is JSON/],
    ["plain words, no format", /announce a header/],
    ["", /0 bytes hold no header/],
  ];
  for (const [content, message] of cases) {
    let closed = 0;
    const source = { ...bytesSource(bytesOf(content), "some.file"), close: () => closed++ };
    await assert.rejects(openWeightsFile(source), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, message);
      assert.match(error.message, /^some\.file /);
      return true;
    });
    assert.equal(closed, 1, content);
  }
});

Deno.test("of a safetensors file its beginning alone is read", async () => {
  const data = new Float32Array(100_000);
  const pieces = encodeSafetensors([{ name: "large", shape: [100_000], data }]);
  const bytes = new Uint8Array(await new Blob(pieces as BlobPart[]).arrayBuffer());
  const whole = bytesSource(bytes, "model.safetensors");
  let furthest = 0;
  const file = await openWeightsFile({
    ...whole,
    slice: (begin, end = bytes.length) => {
      furthest = Math.max(furthest, end);
      return whole.slice(begin, end);
    },
  });
  assert.deepEqual(file.tensors.get("large")?.shape, [100_000]);
  assert.ok(furthest <= 1024, `read up to byte ${furthest}`);
});
