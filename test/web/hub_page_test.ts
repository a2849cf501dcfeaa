/** The page and the hub: asked when it is named, fetched once, kept with the runs over it, and forgotten. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type FakeHub, type FakeRepository, startFakeHub } from "../models/fake_hub.ts";
import { type Page, withWebgpu } from "../report/chromium.ts";
import { hands, onPage, program, until } from "./page.ts";

const address = "https://huggingface.co";

/** A RoBERTa of two layers, whose tokenizer is a byte-level BPE. */
const fixture = fileURLToPath(
  new URL("../interop/fixtures/full-roberta-transformers-5/saved", import.meta.url),
);

async function repositories(): Promise<Record<string, FakeRepository>> {
  const small = ["config.json", "tokenizer.json", "tokenizer_config.json"];
  const files: FakeRepository["files"] = {
    "model.safetensors": await Deno.readFile(join(fixture, "model.safetensors")),
  };
  for (const name of small) files[name] = await Deno.readTextFile(join(fixture, name));
  const rows = Array.from({ length: 40 }, (_, row) => `thing ${row},${["joy", "anger"][row % 2]}`);
  return {
    "models/org/tiny": { revision: "1".repeat(40), files },
    "datasets/org/moods": {
      revision: "2".repeat(40),
      files: { "train.csv": ["text,label", ...rows].join("\n") },
    },
  };
}

/** Panels by their place: the model's, the sentences'. */
const panel = (nth: number) => `document.querySelectorAll(".pair .panel")[${nth}].innerText`;

/** Looks a name up in a panel, once the field has it. */
async function lookUp(page: Page, nth: number, label: string, name: string): Promise<void> {
  await page.evaluate(`press("From the hub", ${nth})`);
  await until(page, `${panel(nth)}.includes("Look it up")`);
  await page.evaluate(`enter("${label}", "${name}")`);
  await until(
    page,
    `!document.querySelectorAll(".pair .panel")[${nth}].querySelector("button").disabled`,
  );
  await page.evaluate(`press("Look it up", ${nth})`);
}

const lookUpModel = (page: Page, name: string) => lookUp(page, 0, "A BERT", name);

/** The step that the progress of a training tells. */
const step = "Number(document.querySelector('.figures dd')?.innerText.split(' ')[0])";

async function takeModel(page: Page, { requests }: FakeHub): Promise<void> {
  await lookUpModel(page, "org/none");
  await until(page, `${panel(0)}.includes("There is no model org/none on huggingface.co")`);
  await lookUpModel(page, "org/tiny");
  await until(page, `${panel(0)}.includes("roberta, 2 layers of 32, 21,442 parameters")`);
  assert.match(await page.evaluate(panel(0)), /90\.6 kB to download/);
  const weights = /model\.safetensors/;
  assert.ok(!requests.some((request) => weights.test(request)), "its size comes first");
  await page.evaluate("press('Download 90.6 kB')");
  await until(page, `${panel(0)}.includes("Cancel")`);
  await page.evaluate("press('Cancel')");
  await until(page, `${panel(0)}.includes("Download 90.6 kB")`);
  await page.evaluate("press('Download 90.6 kB')");
  await until(page, `${panel(0)}.includes("In use")`);
}

async function takeData(page: Page): Promise<void> {
  await lookUp(page, 1, "A data set", "org/moods");
  await until(page, `${panel(1)}.includes("train.csv")`);
  await page.evaluate("press('Download')");
  await until(page, `${panel(1)}.includes("32 sentences to train on")`);
}

/** Opens the page again, as a reader does whose tab was closed while it trained. */
async function openAgain(page: Page, url: string): Promise<void> {
  await page.open(url);
  await until(page, "document.querySelector('nav') !== null");
  await page.evaluate(hands);
}

Deno.test(
  "a model and data of the hub are fetched when they are asked for, and kept with the runs over them",
  { ignore: !program },
  () =>
    onPage(withWebgpu, async (page, url) => {
      const hub = startFakeHub(await repositories());
      const held = Promise.withResolvers<void>();
      /** The first of the weights' requests is held, so that there is time to end it. */
      let isHeld = false;
      hub.instead = (path) => {
        if (isHeld || !path.endsWith(".safetensors")) return undefined;
        isHeld = true;
        return held.promise.then(() => new Response(null, { status: 404 }));
      };
      await page.route(`${address}/`, (asked) => fetch(asked.replace(address, hub.endpoint)));
      try {
        await openAgain(page, url);
        assert.deepEqual(hub.requests, [], "the hub is not asked before it is named");
        await takeModel(page, hub);
        await takeData(page);
        await page.evaluate("enter('Epochs', '500')");
        await page.evaluate("press('Train')");
        await until(page, `${step} > 60`);
        const before = hub.requests.length;
        await openAgain(page, url);
        await lookUpModel(page, "org/tiny");
        await until(page, `${panel(0)}.includes("kept in this browser")`);
        await page.evaluate("press('Use it')");
        await until(page, "document.querySelector('.phase')?.innerText === 'Stopped'");
        const kept = await page.evaluate<number>(step);
        assert.ok(kept >= 2, `of its ${kept} steps`);
        await page.evaluate("press('Go on')");
        await until(page, `${step} > ${kept}`);
        await page.evaluate("pressed('Stop').focus()");
        await page.evaluate("press('Stop')");
        await until(page, "document.querySelector('.phase').innerText === 'Stopped'");
        const focused = await page.evaluate("document.activeElement.innerText");
        assert.equal(focused, "lora-r8 Stopped", "where its button is gone, the focus is not lost");
        assert.equal(hub.requests.length, before, "what is kept is not asked for again");
        await page.evaluate("location.hash = '#use'");
        await until(page, "document.querySelectorAll('.card .answer').length === 2");
        await until(page, "document.body.innerText.includes('1 run and 2 repositories')");
        await page.evaluate("press('Forget lora-r8')");
        await page.evaluate("press('Forget org/moods')");
        await until(page, "document.body.innerText.includes('1 repository of the hub, ')");
        await until(page, "document.querySelectorAll('.card').length === 1");
        assert.deepEqual(page.complaints.filter((each) => !each.includes("org/none")), []);
        assert.ok(
          page.requests.every((asked) => asked.startsWith(url) || asked.startsWith(`${address}/`)),
        );
      } finally {
        held.resolve();
        await hub.close();
      }
    }),
);
