/** The page in a real browser: what it trains is what the command line trains, and what it saves the command line reads. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { unzipSync } from "fflate";
import { runProgram } from "../cli/command.ts";
import { type Page, withWebgpu } from "../report/chromium.ts";
import { hands, onPage, program, until } from "./page.ts";

/** Sentences so short that software trains them at once. */
const lines = ["joy", "anger"].flatMap((label) =>
  ["so", "very", "quite", "never", "always", "really"].map((word) =>
    `${word} ${label} it is,${label}`
  )
);

async function trainThreeSteps(page: Page): Promise<void> {
  await page.evaluate("press('Paste lines')");
  await page.evaluate(`enter('A sentence, a comma', ${JSON.stringify(lines.join("\n"))})`);
  await page.evaluate("press('Use these lines')");
  await until(page, "document.body.innerText.includes('8 sentences to train on')");
  await page.evaluate("press('More settings')");
  for (const [label, value] of [["Batch", 4], ["Steps", 3], ["Warm-up", 0]]) {
    await page.evaluate(`enter('${label}', '${value}')`);
  }
  await page.evaluate("press('Train')");
  await until(page, "/Done|Failed/.test(document.querySelector('.phase')?.innerText)");
}

/** The saved zip's files by name: what the page would hand to the browser is caught on its way. */
async function saved(page: Page): Promise<Record<string, Uint8Array>> {
  await page.evaluate(`
    URL.createObjectURL = (blob) => {
      blob.bytes().then((bytes) => window.caught = bytes.toBase64());
      return "data:,";
    };
    press("Download")`);
  await until(page, "window.caught !== undefined");
  return unzipSync(Uint8Array.fromBase64(await page.evaluate<string>("window.caught")));
}

const lossesIn = (steps: string): number[] =>
  steps.trim().split("\n").map((line) => JSON.parse(line).loss);

/** The losses of the command line's run on the same lines with the same settings. */
async function commandLosses(folder: string): Promise<number[]> {
  const data = join(folder, "lines.csv");
  await Deno.writeTextFile(data, ["text,label", ...lines].join("\n"));
  const { code, stderr } = await runProgram(Deno.execPath(), [
    ...["run", "-q", "--no-check", "-P=commands", "--no-prompt", "cli/train.ts"],
    ...["--method", "lora", "--rank", "8", "--model_name", "mini", "--dataset", data, "--no_tune"],
    ...["--max_steps", "3", "--batch_size", "4", "--warmup_steps", "0", "--eval_steps", "3"],
    ...["--output_dir", folder, "--experiment", "e"],
  ]);
  assert.equal(code, 0, stderr);
  return lossesIn(await Deno.readTextFile(join(folder, "e", "lora-r8", "steps.jsonl")));
}

Deno.test(
  "in Chromium the page trains as the command line does, labels, and saves what predict reads",
  { ignore: !program },
  () =>
    onPage(withWebgpu, async (page, url, folder) => {
      await until(page, "document.querySelector('nav') !== null");
      await page.evaluate(hands);
      await trainThreeSteps(page);
      await page.evaluate("location.hash = '#use'");
      await until(page, "document.querySelectorAll('.card .answer').length === 2");
      const text = "never anger it is";
      await page.evaluate(`enter('A sentence', '${text}')`);
      await until(
        page,
        "document.querySelector('.card .hint').innerText.startsWith('6 tokens')",
      );
      await until(
        page,
        "document.querySelectorAll('.card .hint')[1].innerText.startsWith('6 tokens')",
      );
      const label = await page.evaluate(
        "document.querySelectorAll('.card .answer')[1].innerText",
      );
      const files = await saved(page);
      for (const [name, content] of Object.entries(files)) {
        const path = join(folder, "unpacked", name);
        await Deno.mkdir(join(path, ".."), { recursive: true });
        await Deno.writeFile(path, content);
      }
      const losses = lossesIn(new TextDecoder().decode(files["lora-r8/steps.jsonl"]));
      const expected = await commandLosses(folder);
      assert.equal(losses.length, 3);
      losses.forEach((loss, step) => assert.ok(Math.abs(loss - expected[step]) < 1e-5));
      const { stdout, stderr } = await runProgram(Deno.execPath(), [
        ...["run", "-q", "--no-check", "-P=predict", "--no-prompt", "cli/predict.ts", "--json"],
        ...["--run", join(folder, "unpacked", "lora-r8"), text],
      ]);
      assert.equal(JSON.parse(stdout).label, label, stderr);
      await page.open(url);
      await until(page, "document.querySelector('nav') !== null");
      await page.evaluate("location.hash = '#use'");
      await until(page, "document.querySelectorAll('.card .answer').length === 2");
      const named = "document.querySelectorAll('.card h3')[1].innerText";
      assert.equal(await page.evaluate(named), "lora-r8", "opened again, it has its runs");
      assert.deepEqual(page.complaints, []);
      assert.ok(
        page.requests.every((request) => request.startsWith(url)),
        "its own files alone",
      );
    }),
);

Deno.test(
  "without WebGPU the page says what to do, and fits",
  { ignore: !program },
  () =>
    onPage(undefined, async (page) => {
      await until(page, "document.querySelector('[role=alert]') !== null");
      const said = await page.evaluate<string>("document.body.innerText");
      assert.match(said, /gives the page no GPU/);
      assert.match(said, /enable-unsafe-webgpu/);
      await until(page, "document.querySelectorAll('svg.plot').length === 2");
      assert.equal(
        await page.evaluate("document.querySelectorAll('.sheet tbody tr').length"),
        3,
      );
      for (const width of [390, 1280]) {
        const size = { width, height: 800, deviceScaleFactor: 1, mobile: width < 600 };
        await page.send("Emulation.setDeviceMetricsOverride", size);
        assert.ok(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"));
      }
    }),
);
