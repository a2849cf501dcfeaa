import assert from "node:assert/strict";
import { allowedHosts } from "../../cli/hosts.ts";

Deno.test("a mirror's host is added; what names none leaves a list that Deno takes", () => {
  const own = allowedHosts(undefined);
  assert.ok(own.includes("huggingface.co"));
  for (
    const [endpoint, host] of [
      ["https://mirror.example/hf", "mirror.example"],
      ["http://ann:secret@127.0.0.1:81", "127.0.0.1:81"],
      ["http://[::1]:81", "[::1]:81"],
    ]
  ) assert.deepEqual(allowedHosts(endpoint), [...own, host]);
  for (const endpoint of ["nonsense", "file:///x", "http://[", "http://a,b", ""]) {
    assert.deepEqual(allowedHosts(endpoint), own);
  }
});
