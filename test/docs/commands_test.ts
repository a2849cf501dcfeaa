import assert from "node:assert/strict";
import { missingLines, shownCommands } from "../../docs/commands.ts";

Deno.test("commands are read with what they print, to the end of their block", () => {
  const document = [
    "Text:",
    "",
    "    $ ./denow task a --b \\",
    '        "c"',
    "    one",
    "",
    "    two",
    "    $ ./denow task d",
    "",
    "Text, and a block without a command:",
    "",
    "    three",
  ].join("\n");
  assert.deepEqual(shownCommands(document), [
    { line: 3, command: './denow task a --b "c"', output: ["one", "two"] },
    { line: 8, command: "./denow task d", output: [] },
  ]);
});

Deno.test("lines are looked for in their order, but for times, widths and what `…` stands for", () => {
  const printed = [
    "start",
    "Full   1,645   0.72   35s*",
    "read in 57 ms",
    "saved x, 276 kB",
    "end",
  ];
  const missing = (...output: string[]) => missingLines(output, printed);
  assert.deepEqual(missing("…", "Full 1,645 0.72 1m02s", "read in 9.4 ms", "…", "end"), []);
  assert.deepEqual(missing("saved …, 276 kB", "Full … 0.72 …", "end"), ["Full … 0.72 …"]);
  assert.deepEqual(missing("Full 1,645 0.73 35s", "saved x, 277 kB"), [
    "Full 1,645 0.73 35s",
    "saved x, 277 kB",
  ]);
});
