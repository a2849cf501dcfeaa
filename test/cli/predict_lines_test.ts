/** Lines that come one after another: from a pipe, answered batch by batch, and typed at a prompt. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { answerLines, answerRows } from "../../cli/predict/prompt.ts";
import { commonBatch, inPieces, openTexts } from "../../cli/predict/texts.ts";
import { golden } from "../files/temporary.ts";
import { setOf } from "./command.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const run = ["--run", golden("lora", "peft"), "--model_name", golden("model")];

async function* of<T>(...items: T[]): AsyncGenerator<T> {
  yield* items;
}

Deno.test("pieces are whole batches, however the texts arrive", async () => {
  const texts = Array.from({ length: 23 }, (_, i) => `${i}`);
  for (const portion of [1, 3, 4, 10, 23]) {
    const arrivals = Array.from(
      { length: Math.ceil(23 / portion) },
      (_, i) => texts.slice(i * portion, (i + 1) * portion),
    );
    const pieces = await Array.fromAsync(inPieces(of(...arrivals), 4, 9));
    assert.deepEqual(pieces.flat(), texts);
    for (const { length } of pieces.slice(0, -1)) assert.ok(length === 4 || length === 8);
    assert.equal(pieces[pieces.length - 1].length, 3);
  }
  assert.deepEqual(await Array.fromAsync(inPieces(of(texts), 200)), [texts]);
  assert.equal((await Array.fromAsync(inPieces(of(texts.slice(0, 8)), 4))).length, 1);
  assert.deepEqual([[16], [8, 12], [1, 32], [5, 7]].map(commonBatch), [16, 24, 32, 35]);
});

Deno.test("lines are put together from the portions that a pipe gives", async () => {
  const bytes = new TextEncoder().encode("\uFEFF one\r\n\n zwölf ß\n\n\nlast €");
  const nothing = { texts: [], file: undefined, textColumn: undefined };
  for (const size of [1, 2, 5, 100]) {
    const portions = Array.from(
      { length: Math.ceil(bytes.length / size) },
      (_, i) => bytes.slice(i * size, (i + 1) * size),
    );
    const { arrivals } = await openTexts(nothing, { readable: ReadableStream.from(portions) });
    assert.deepEqual((await Array.fromAsync(arrivals)).flat(), ["one", "zwölf ß", "last €"]);
  }
  const empty = openTexts(nothing, { readable: new Blob([" \n\n"]).stream() });
  await assert.rejects(empty, /^UserError: Standard input holds no text\. Give texts/);
});

Deno.test("lines in another encoding are read where it is told, by a name or a mark", async () => {
  const read = async (bytes: Uint8Array<ArrayBuffer>, encoding?: string) => {
    const flags = { texts: [], file: undefined, encoding };
    // A byte at a time: characters and marks are cut.
    const portions = Array.from(bytes, (byte) => Uint8Array.of(byte));
    const { arrivals } = await openTexts(flags, { readable: ReadableStream.from(portions) });
    return (await Array.fromAsync(arrivals)).flat();
  };
  const latin = Uint8Array.from("caf\xe9\n\xfcber", (letter) => letter.charCodeAt(0));
  assert.deepEqual(await read(latin, "windows-1252"), ["café", "über"]);
  const wide = new Uint8Array(
    Uint16Array.from("\uFEFFone\nĊ two", (letter) => letter.charCodeAt(0)).buffer,
  );
  assert.deepEqual(await read(wide), ["one", "Ċ two"]);
  assert.deepEqual(await read(wide.slice(2), "utf-16le"), ["one", "Ċ two"]);
});

/** Starts the command with pipes on both ends; `until` waits for what it writes. */
function start(script: string, args: string[]) {
  const process = new Deno.Command("sh", {
    args: ["-c", script, Deno.execPath(), ...args],
    cwd: root,
    env: { NO_COLOR: "1", HF_HUB_OFFLINE: "1", TERM: "xterm" },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const writer = process.stdin.getWriter();
  let seen = "";
  return {
    process,
    write: (text: string) => writer.write(new TextEncoder().encode(text)),
    async until(pattern: RegExp): Promise<string> {
      while (!pattern.test(seen)) {
        const { done, value } = await reader.read();
        if (done) throw new Error(`It ended after ${JSON.stringify(seen)}.`);
        seen += value;
      }
      return seen;
    },
    async ended(): Promise<{ code: number; stdout: string }> {
      await writer.close().catch(() => {}); // it may have ended before
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        seen += value;
      }
      return { code: (await process.status).code, stdout: seen };
    },
  };
}

const predict = ["run", "-q", "--no-check", setOf("predict"), "--no-prompt", "cli/predict.ts"];

Deno.test("a pipe's lines are answered while it is open; Ctrl-C leaves whole lines", async () => {
  const args = [...predict, ...run, "--json", "--top_k", "1", "--batch_size", "2"];
  const { process, write, until, ended } = start('exec "$0" "$@"', args);
  await write("the cat\na dog\nthe th");
  assert.equal((await until(/\n.*\n/)).split("\n").length, 3, "the third waits for its batch");
  await write("e\na\nb");
  await until(/(.*\n){4}/);
  process.kill("SIGINT");
  const { code, stdout } = await ended();
  assert.equal(code, 130);
  const lines = stdout.trimEnd().split("\n").map((line) => JSON.parse(line).text);
  assert.deepEqual(lines, ["the cat", "a dog", "the the", "a"]);
});

Deno.test("typed lines are answered until one is empty, or none comes", async () => {
  for (const typed of [["a", " b ", " ", "c"], ["a", "b"]]) {
    const said: string[] = [];
    const reader = {
      lines: of(...typed),
      prompt: () => said.push(">"),
      close: () => said.push("closed"),
    };
    await answerLines(reader, (text) => Promise.resolve(void said.push(text)));
    assert.deepEqual(said, [">", "a", ">", "b", ">", "closed"]);
  }
});

Deno.test("an answer is the best labels of each run with bars, within the terminal", () => {
  const ranked = [{ label: "joy", probability: 0.75 }, { label: "anger", probability: 0.25 }];
  assert.deepEqual(answerRows(["lora-r4"], [ranked], 3, 80), [
    `  joy    0.7500  ${"█".repeat(15)}`,
    `  anger  0.2500  ${"█".repeat(5)}`,
  ]);
  assert.deepEqual(answerRows(["lora-r4", "full"], [ranked, ranked.slice(1)], 2, 36), [
    `  lora-r4  joy    0.7500  ${"█".repeat(8)}`,
    `           anger  0.2500  ${"█".repeat(3)}`,
    `  full     anger  0.2500  ${"█".repeat(3)}`,
  ]);
  assert.deepEqual(answerRows(["lora-r4"], [ranked], 1, 10), ["  joy  0.7500"]);
});

const hasScript = new Deno.Command("sh", {
  args: ["-c", "script -qec true /dev/null"],
  stdin: "null",
  stdout: "null",
  stderr: "null",
}).outputSync().success;

Deno.test({
  name: "at a terminal it asks, answers and asks again; Ctrl-C ends with 130, an empty line with 0",
  ignore: !hasScript,
  async fn() {
    // util-linux's `script` plays the terminal, and takes a command line.
    const quoted = [Deno.execPath(), ...predict, ...run].map((each) => `'${each}'`).join(" ");
    for (
      const [typed, end, exitCode] of [
        ["the cat\r", "\x03", 130],
        ["the cat\r", "\r", 0],
        ["the cat\r\x04", "", 0], // Ctrl-D before the answer
      ] as const
    ) {
      const { write, until, ended } = start(`exec script -qec "$1" /dev/null`, [quoted]);
      await until(/Each line is labelled by peft\. An empty line or Ctrl-D ends\.\r\n.*> /);
      await write(typed);
      await until(/LABEL_\d {2}0\.\d{4} {2}█+\r\n( .*\r\n){2}/);
      if (end !== "") {
        await until(/\d{4}( +█*)?\r\n[^ ]*> /);
        await write(end);
      }
      const { code, stdout } = await ended();
      assert.equal(code, exitCode);
      assert.doesNotMatch(stdout, /Error|\bat .*:\d+/);
    }
  },
});
