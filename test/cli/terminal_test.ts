import assert from "node:assert/strict";
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  formatRate,
  formatShort,
} from "../../cli/shared/format.ts";
import { renderMarkdown, renderTable } from "../../cli/shared/table.ts";
import { renderDownload } from "../../cli/shared/hub.ts";
import { jsonText, renderNotice, wantsColor, wrap } from "../../cli/shared/terminal.ts";
import { recorder } from "./recorder.ts";

Deno.test("numbers read as people write them", () => {
  assert.equal(formatCount(109492237), "109,492,237");
  assert.deepEqual([0, 7, 999, 1000, 9949, 9960, 123456, 999900, 2.5e6].map(formatShort), [
    "0",
    "7",
    "999",
    "1.0k",
    "9.9k",
    "10k",
    "123k",
    "1.0M",
    "2.5M",
  ]);
  assert.deepEqual(
    [0, 0.256, 3.21, 59.6, 65, 3599.7, 3660, 90000, NaN, -1].map(formatDuration),
    [
      "0s",
      "0.3s",
      "3.2s",
      "1m00s",
      "1m05s",
      "1h00m",
      "1h01m",
      "1d01h",
      "?",
      "?",
    ],
  );
  assert.deepEqual([100, 99.999, 56.123, 0.0997].map(formatPercent), [
    "100 %",
    "100 %",
    "56.1 %",
    "0.10 %",
  ]);
  assert.deepEqual(
    [2e-5, 1.25e-4, 0, 1, 1e-10].map(formatRate),
    [
      "2e-5",
      "1.25e-4",
      "0",
      "1",
      "1e-10",
    ],
  );
  assert.deepEqual(
    [12, 1000, 99960, 436532, 999600, 94_100_000, 437968948, 2_147_483_648].map(formatBytes),
    ["12 B", "1.0 kB", "100 kB", "437 kB", "1.0 MB", "94.1 MB", "438 MB", "2.1 GB"],
  );
});

Deno.test("a table is cut in its shrinking column, and titles break into two lines", () => {
  const columns = [
    { title: "Name", shrinks: true },
    { title: "Trainable Params", right: true },
  ];
  const rows = [["a long configuration, with more", "109,492,237"], ["b", "7"]];
  assert.deepEqual(renderTable(columns, rows, 30), [
    "                     Trainable",
    "Name                    Params",
    "─────────────────  ───────────",
    "a long configura…  109,492,237",
    "b                            7",
  ]);
  assert.equal(renderTable(columns, rows, 80)[3], "a long configuration, with more  109,492,237");
  assert.deepEqual(renderMarkdown(columns, [["a|b", "1"]]), [
    "| Name | Trainable Params |",
    "| --- | ---: |",
    "| a\\|b | 1 |",
  ]);
});

Deno.test("a table may have any number of rows, and its cells command no terminal", () => {
  const columns = [{ title: "Text", shrinks: true }, { title: "Label" }];
  const rows = Array.from({ length: 200_000 }, (_, row) => [`text ${row}`, "joy"]);
  assert.equal(renderTable(columns, rows, 80).at(-1), "text 199999  joy");
  const [, , line] = renderTable(columns, [["\x1b[31mred\x07", "\u202ejoy"]], 80);
  assert.equal(line, "\\u001b[31mred\\u0007  \\u202ejoy");
  assert.match(renderNotice(recorder(40), "a \x1b[2J"), /a \\u001b\[2J/);
});

Deno.test("NO_COLOR wins, FORCE_COLOR comes next, then the terminal", () => {
  const environment = (values: Record<string, string>) => (name: string) => values[name];
  assert.equal(wantsColor(true, environment({})), true);
  assert.equal(wantsColor(false, environment({})), false);
  assert.equal(wantsColor(true, environment({ NO_COLOR: "1" })), false);
  assert.equal(wantsColor(true, environment({ NO_COLOR: "1", FORCE_COLOR: "1" })), false);
  assert.equal(wantsColor(true, environment({ NO_COLOR: "" })), true);
  assert.equal(wantsColor(false, environment({ FORCE_COLOR: "1" })), true);
  assert.equal(wantsColor(true, environment({ FORCE_COLOR: "0" })), false);
});

Deno.test("a notice is a ruled block that fits the terminal", () => {
  const words = "mini stands in for bert-base-uncased, which could not be reached";
  assert.deepEqual(wrap(words, 30), [
    "mini stands in for",
    "bert-base-uncased, which could",
    "not be reached",
  ]);
  const lines = renderNotice(recorder(40), words).trim().split("\n");
  assert.equal(lines[0], "!".repeat(39));
  assert.equal(lines.at(-1), "!".repeat(39));
  assert.ok(lines.every((line) => line.length <= 39 && line.startsWith("!")));
});

Deno.test("JSON keeps its meaning, and commands no terminal", () => {
  const document = { "a\x9b2J": ["\x1b[2J\u202e\n", 'ünï "x"', 0.5] };
  const text = jsonText(document);
  assert.deepEqual(JSON.parse(text), document);
  for (const obeyed of ["\x1b", "\x9b", "\u202e"]) assert.ok(!text.includes(obeyed));
  assert.equal(text.split("\n").length, 7);
});

Deno.test("a download's line has bytes, rate, time left and the file's name, as far as they fit", () => {
  const progress = { path: "model.safetensors", done: 110e6, total: 440e6, bytesPerSecond: 11e6 };
  assert.equal(
    renderDownload(progress, 79),
    "25 % of 440 MB  11.0 MB/s  30s left  model.safetensors",
  );
  assert.equal(renderDownload(progress, 40), "25 % of 440 MB  11.0 MB/s  30s left");
  assert.equal(renderDownload(progress, 20), "25 % of 440 MB");
  assert.equal(
    renderDownload({ ...progress, bytesPerSecond: 0 }, 40),
    "25 % of 440 MB  0 B/s  ? left",
  );
});
