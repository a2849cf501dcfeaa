/** TensorBoard's event files: bytes as TensorFlow writes them. test/tensorboard/read_back.py reads them in TensorBoard. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { crc32c } from "../../cli/train/tensorboard/crc.ts";
import { eventFile, type ScalarEvent } from "../../cli/train/tensorboard/event_file.ts";
import { type LoggedRun, runEvents, writeLogs } from "../../cli/train/tensorboard/logs.ts";
import type { RunReport } from "../../cli/train/run_report.ts";
import { withFolder } from "../files/temporary.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

const joined = (pieces: Iterable<Uint8Array>) =>
  Uint8Array.from([...pieces].flatMap((piece) => [...piece]));

Deno.test("CRC-32C has the values of RFC 3720", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  const vectors: [Uint8Array, number][] = [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
    [ascii("123456789"), 0xe3069283],
    [new Uint8Array(), 0],
  ];
  for (const [bytes, expected] of vectors) assert.equal(crc32c(bytes), expected);
});

Deno.test("an event file is, byte for byte, what TensorBoard's own writer makes", async () => {
  const path = new URL("../tensorboard/tensorboard.tfevents", import.meta.url);
  const events: ScalarEvent[] = [
    { wallTime: 1700000000.25, step: 1, scalars: { "train/loss": 2.5, "train/rate": 1e-3 } },
    { wallTime: 1700000001.5, step: 300, scalars: { "ünïcode": -1.25 } },
    { wallTime: 1700000002.5, step: 5_000_000_000, scalars: { "train/loss": Infinity } },
  ];
  assert.deepEqual(joined(eventFile(1700000000, events)), await Deno.readFile(path));
});

const metrics = {
  loss: 1.5,
  accuracy: 0.5,
  macro_precision: 0.25,
  macro_recall: 0.125,
  macro_f1: 0.75,
} as RunReport["test"];

const logged: LoggedRun = {
  started: "2026-01-01T00:00:00.000Z",
  validation: [metrics],
  validation_steps: [2],
  test: metrics,
  best_step: 2,
};

const line = (step: number) =>
  JSON.stringify({
    step,
    epoch: 1,
    loss: 1 / step,
    gradient_norm: 2,
    learning_rate: 1e-3,
    tokens: 50,
    tokens_per_second: 100,
  });

Deno.test("a run's events: its steps, its validations and its test, in time", () => {
  const events = runEvents(logged, [line(1), line(2)]);
  const begun = Date.UTC(2026, 0, 1) / 1000;
  assert.deepEqual(
    events.map(({ step, wallTime }) => [step, wallTime - begun]),
    [[1, 0.5], [2, 1], [2, 1], [2, 1]],
  );
  assert.deepEqual(events[1].scalars, {
    "train/loss": 0.5,
    "train/learning_rate": 1e-3,
    "train/gradient_norm": 2,
    "train/tokens_per_second": 100,
  });
  assert.deepEqual(Object.keys(events[2].scalars), [
    "validation/loss",
    "validation/accuracy",
    "validation/macro_precision",
    "validation/macro_recall",
    "validation/macro_f1",
  ]);
  assert.equal(events[3].scalars["test/macro_f1"], 0.75);
});

Deno.test("a run's logs replace its older ones; where they cannot be written, the older ones stay", () =>
  withFolder(async (folder) => {
    const report = { ...logged, run: "full" } as RunReport;
    const unfinished = new Set<string>();
    const names = () => [...Deno.readDirSync(join(folder, "logs", "full"))].map(({ name }) => name);
    await writeLogs(folder, report, [line(1)], unfinished);
    assert.deepEqual(names(), ["events.out.tfevents.1767225600.full"]);
    const later = { ...report, started: "2026-01-02T00:00:00.000Z" };
    await writeLogs(folder, later, [line(1)], unfinished);
    assert.deepEqual(names(), ["events.out.tfevents.1767312000.full"]);
    await assert.rejects(writeLogs(folder, report, ["{}"], unfinished));
    assert.deepEqual(names(), ["events.out.tfevents.1767312000.full"]);
    assert.deepEqual([...Deno.readDirSync(join(folder, "logs"))].length, 1);
  }));
