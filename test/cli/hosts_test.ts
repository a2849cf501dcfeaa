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
  const odd = [
    ...[
      "nonsense",
      "file:///x",
      "file://host/x",
      "http://[",
      "http://a,b",
      "",
      "http://",
      "http://*",
    ],
    ...[
      "http://*.com",
      "https://a.*",
      "http://a b",
      "http://a%2cb",
      "http://a%20--allow-all",
      "*",
      ",",
    ],
  ];
  for (const endpoint of odd) assert.deepEqual(allowedHosts(endpoint), own, endpoint);
  // A line's end is no part of an address (URL standard); path, query and port of a mirror widen nothing.
  for (
    const [endpoint, host] of [
      ["http://a.example\n,evil.example", undefined],
      ["http://a.example/,evil.example?*#,*", "a.example"],
      ["http://u:p,*@a.example:8080/x,y", "a.example:8080"],
      [" https://a.example/ ", "a.example"],
    ]
  ) assert.deepEqual(allowedHosts(endpoint), host === undefined ? own : [...own, host], endpoint);
});
