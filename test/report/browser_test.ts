/** The page in a browser, where there is one: it sorts, fits a telephone, asks for nothing and complains of nothing. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeReport } from "../../cli/report/write.ts";
import { withFolder } from "../files/temporary.ts";
import { findChromium, type Page, withChromium } from "./chromium.ts";
import { writeRun } from "./fixture.ts";

const program = findChromium();

/** An experiment with names that are long, and names that would be code. */
async function write(folder: string): Promise<string> {
  const evil = `"'></title></style><script>alert(1)</script><img src=x onerror=alert(2)>`;
  const labels = ["joy", "a_label_without_a_place_to_break_".repeat(4), evil];
  const long = "modules=query+key+value+attention.output.dense+intermediate.dense";
  for (const [index, method] of ["full", "lora", "adapter"].entries()) {
    const [trainable, accuracy] = [[1e6, 9000, 10_000][index], [0.7, 0.9, 0.5][index]];
    const config = [`${evil}`, long, "size=64"][index];
    const run = { run: method, method, label: method, config, trainable, accuracy };
    await writeRun(folder, { ...run, fields: { notices: [evil] } }, { labels, text: evil });
  }
  const path = join(folder, "comparison.html");
  await writeReport([folder], path);
  return pathToFileURL(path).href;
}

const firstCells = "[...document.querySelectorAll('.sortable')[0].tBodies[0].rows]" +
  ".map((row) => row.cells[0].textContent.trim().split(' ')[0])";

const sorting = "[...document.querySelectorAll('.sortable')[0].tHead.rows[0].cells]" +
  ".map((cell) => cell.getAttribute('aria-sort'))";

/** Presses Enter on what has the focus. */
async function pressEnter({ send }: Page): Promise<void> {
  const key = { key: "Enter", code: "Enter", windowsVirtualKeyCode: 13, text: "\r" };
  await send("Input.dispatchKeyEvent", { type: "keyDown", ...key });
  await send("Input.dispatchKeyEvent", { type: "keyUp", ...key });
}

async function checkSorting(page: Page): Promise<void> {
  assert.deepEqual(await page.evaluate(firstCells), ["full", "lora", "adapter"]);
  assert.deepEqual((await page.evaluate<unknown[]>(sorting)).filter((each) => each !== null), []);
  await page.evaluate(
    "document.querySelectorAll('.sortable')[0].querySelectorAll('button')[1].focus()",
  );
  await pressEnter(page); // Accuracy: numbers begin with the highest
  assert.deepEqual(await page.evaluate(firstCells), ["lora", "full", "adapter"]);
  assert.equal((await page.evaluate<unknown[]>(sorting))[1], "descending");
  await pressEnter(page);
  assert.deepEqual(await page.evaluate(firstCells), ["adapter", "full", "lora"]);
  assert.equal((await page.evaluate<unknown[]>(sorting))[1], "ascending");
  await page.evaluate(
    "document.querySelectorAll('.sortable')[0].querySelectorAll('button')[0].click()",
  );
  assert.deepEqual(await page.evaluate(firstCells), ["adapter", "full", "lora"]);
  const sorted = await page.evaluate<unknown[]>(sorting);
  assert.deepEqual(sorted.filter((each) => each !== null), ["ascending"]);
}

async function checkLegend(page: Page): Promise<void> {
  const dimmed = "[...document.querySelectorAll('svg.plot .dim')]" +
    ".map((mark) => mark.classList[0]).filter((name, at, all) => all.indexOf(name) === at).sort()";
  assert.deepEqual(await page.evaluate(dimmed), []);
  await page.evaluate("document.querySelectorAll('.legend button')[1].click()");
  assert.deepEqual(await page.evaluate(dimmed), ["run-0", "run-2"]);
  await page.evaluate("document.querySelectorAll('.legend button')[1].click()");
  assert.deepEqual(await page.evaluate(dimmed), []);
}

Deno.test(
  "in Chromium the page sorts, fits, and asks for nothing",
  { ignore: !program },
  () =>
    withFolder(async (folder) => {
      const url = await write(join(folder, "experiment"));
      await withChromium(program!, join(folder, "chromium"), async (page) => {
        const grounds = new Set<string>();
        for (const width of [360, 1280]) {
          for (const scheme of ["light", "dark"]) {
            const metrics = { width, height: 800, deviceScaleFactor: 1, mobile: width < 500 };
            await page.send("Emulation.setDeviceMetricsOverride", metrics);
            const features = [{ name: "prefers-color-scheme", value: scheme }];
            await page.send("Emulation.setEmulatedMedia", { features });
            await page.open(url);
            // All that is folded is opened, so that it too would be found too wide.
            await page.evaluate(
              "document.querySelectorAll('details').forEach((d) => d.open = true)",
            );
            const [needed, shown] = await page.evaluate<number[]>(
              "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
            );
            assert.equal(needed, shown, `${shown} pixels are shown, and the page needs ${needed}`);
            grounds.add(await page.evaluate("getComputedStyle(document.body).backgroundColor"));
          }
        }
        assert.equal(grounds.size, 2, "light and dark");
        await checkSorting(page);
        await checkLegend(page);
        assert.equal(await page.evaluate("document.scripts.length"), 1);
        assert.equal(await page.evaluate("document.images.length"), 0);
        assert.deepEqual(
          new Set(page.requests.filter((each) => each !== "data:,")),
          new Set([url]),
        );
        assert.deepEqual(page.complaints, []);
      });
    }),
);
