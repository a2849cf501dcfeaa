/** The page in Chromium, for tests. */
import { join } from "node:path";
import { withFolder } from "../files/temporary.ts";
import { findChromium, type Page, withChromium } from "../report/chromium.ts";
import { build, serving } from "./site.ts";

/** Undefined where there is none, and no test of the page can run. */
export const program = findChromium();

/** Waits until an expression is true in the page. Throws, with what the page says, after two minutes. */
export async function until(page: Page, condition: string): Promise<void> {
  for (let waits = 0; waits < 1200; waits++) {
    if (await page.evaluate<boolean>(condition)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`Never: ${condition}. ${await page.evaluate("document.body.innerText")}`);
}

/** Opens the page, newly built, in a browser with these flags, beside a folder for what it saves. */
export const onPage = (
  flags: readonly string[] | undefined,
  run: (page: Page, url: string, folder: string) => Promise<void>,
): Promise<void> =>
  withFolder(async (folder) => {
    const site = join(folder, "site");
    await build(site);
    await serving(site, (url) =>
      withChromium(program!, join(folder, "chromium"), async (page) => {
        await page.open(url);
        await run(page, url, folder);
      }, flags));
  });

/** Functions that a reader's hands stand for. */
export const hands = `
  const field = (label) =>
    [...document.querySelectorAll(".field")]
      .find((each) => each.checkVisibility() && each.innerText.startsWith(label))
      .querySelector("input, textarea");
  window.enter = (label, value) => {
    const input = field(label);
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  window.pressed = (text, nth = 0) =>
    [...document.querySelectorAll("button, .choice label, summary")]
      .filter((each) => each.checkVisibility() && each.innerText.startsWith(text))[nth];
  window.press = (text, nth) => pressed(text, nth).click();
  true`;
