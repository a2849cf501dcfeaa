/** What axe says of the page's rooms: before a reader trains and after, with a broken kernel, with times. */
import assert from "node:assert/strict";
import type { PlaywrightPage } from "./browser.ts";

/** The faults that axe finds, a line each: the rule, what is wrong, and the first element. */
const faults = `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
  violations.map(({ id, help, nodes }) => id + ": " + help + ", " + nodes[0].html))`;

const press = (text: string) =>
  `[...document.querySelectorAll("button, .choice label, summary")]
    .find((each) => each.checkVisibility() && each.innerText.startsWith("${text}")).click()`;

/** Waits for a minute; the driver's own way asks the page for eval, which its policy refuses. */
async function until(page: PlaywrightPage, condition: string): Promise<void> {
  for (let waits = 0; waits < 600; waits++) {
    if (await page.evaluate<boolean>(condition)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Never: ${condition}`);
}

/** Looks at what is shown, light and dark, on a phone and on a desktop. */
async function look(page: PlaywrightPage, where: string): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of [390, 1280]) {
      await page.setViewportSize({ width, height: 900 });
      const found = await page.evaluate<string[]>(faults);
      assert.deepEqual(found, [], `${where}, ${colorScheme}, ${width} pixels wide`);
    }
  }
}

export async function checkSite(page: PlaywrightPage): Promise<void> {
  await until(page, `document.querySelector("nav") !== null`);
  for (const text of ["From the hub", "More settings"]) await page.evaluate(press(text));
  await look(page, "before anything is trained");
  await page.evaluate(press("Paste lines"));
  await until(page, `document.querySelector("textarea")?.checkVisibility()`);
  await page.evaluate(press("Use these lines"));
  await until(page, `document.body.innerText.includes("4 sentences to train on")`);
  await page.evaluate(press("Train"));
  await until(page, `document.querySelector(".phase")?.innerText === "Done"`);
  await look(page, "after a training");
  await page.evaluate(`location.hash = "#use"`);
  await until(page, `document.querySelectorAll(".card .answer").length === 2`);
  await look(page, "where runs are used");
  await page.evaluate(`location.hash = "#understand"`);
  await until(page, `document.querySelector(".sources code")?.checkVisibility()`);
  await page.evaluate(`document.querySelector("[role=switch]").click()`);
  await until(page, `document.querySelector(".switches li").innerText.includes("Caught")`);
  await look(page, "where a kernel is broken");
  await page.evaluate(`location.hash = "#measure"`);
  await page.evaluate(press("Time all"));
  await until(page, `document.querySelectorAll(".kernels tbody tr").length >= 2`);
  await page.evaluate(press("Stop"));
  await look(page, "where kernels are timed");
  await page.evaluate(`document.querySelector("h1").append(new Image())`);
  const [seen] = await page.evaluate<string[]>(faults);
  assert.match(seen, /^image-alt/, "axe sees what it is there for");
}
