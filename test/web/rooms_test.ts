/**
 * The rooms Understand and Measure in a real browser: parts of formulas are pointed at, kernels broken and made whole,
 * times taken along, by keyboard too; and all of it fits. What axe says of them is in test/browser/site.ts.
 */
import assert from "node:assert/strict";
import { parseResult, resultsIn } from "../../bench/schema.ts";
import { type Page, withWebgpu } from "../report/chromium.ts";
import { onPage, program, until } from "./page.ts";

/** The focused element's words. */
const focused = "document.activeElement.innerText";

async function press(page: Page, key: "Tab" | "Enter"): Promise<void> {
  const windowsVirtualKeyCode = { Tab: 9, Enter: 13 }[key];
  const event = { key, code: key, windowsVirtualKeyCode, ...key === "Enter" && { text: "\r" } };
  await page.send("Input.dispatchKeyEvent", { ...event, type: "keyDown" });
  await page.send("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
}

async function look(page: Page, width: number, scheme: "light" | "dark"): Promise<void> {
  const size = { width, height: 900, deviceScaleFactor: 1, mobile: width < 600 };
  await page.send("Emulation.setDeviceMetricsOverride", size);
  const features = [
    { name: "prefers-color-scheme", value: scheme },
    { name: "prefers-reduced-motion", value: "reduce" },
  ];
  await page.send("Emulation.setEmulatedMedia", { features });
}

/** Asserts that no panel is wider than the window, in both sizes. */
async function assertFits(page: Page): Promise<void> {
  for (const [width, scheme] of [[390, "dark"], [1280, "light"]] as const) {
    await look(page, width, scheme);
    const widest = await page.evaluate<number>("document.documentElement.scrollWidth");
    assert.ok(widest <= width, `${widest} of ${width} pixels wide`);
  }
}

const switches = "[...document.querySelectorAll('[role=switch]')]";

Deno.test(
  "in Chromium a formula's parts show their lines, and a broken kernel is caught, by keyboard",
  { ignore: !program },
  () =>
    onPage(withWebgpu, async (page) => {
      await page.evaluate("location.hash = '#understand'");
      const shown = "document.querySelector('.sources').innerText";
      await until(page, "document.querySelector('.part')?.checkVisibility()");
      assert.match(
        await page.evaluate(shown),
        /linear\.ts, line \d+[^]*matmul\("NT", x, weight, y/,
      );
      await page.evaluate("document.querySelector('.part').focus()");
      for (let tabs = 0; tabs < 5; tabs++) await press(page, "Tab");
      assert.equal(await page.evaluate(focused), "Aᵀ");
      const marked =
        "[...document.querySelectorAll('.sources mark')].map((each) => each.innerText)";
      await until(page, `${marked}.some((line) => line.includes('dot(value, factor('))`);
      assert.match(
        await page.evaluate<string>("document.activeElement.getAttribute('aria-label')"),
        /^Aᵀ: from all columns down to the rank/,
      );
      // A mouse looks, and leaves what was chosen.
      const { x, y } = await page.evaluate<{ x: number; y: number }>(
        `(({ x, y }) => ({ x: x + 5, y: y + 5 }))(document.querySelectorAll('.part')[1].getBoundingClientRect())`,
      );
      const move = (x: number, y: number) =>
        page.send("Input.dispatchMouseEvent", { type: "mouseMoved", x, y });
      await move(x, y);
      await until(page, `${marked}.some((line) => line.includes('bias['))`);
      await move(1, 1);
      await until(page, `${marked}.some((line) => line.includes('dot(value, factor('))`);

      await page.evaluate(`${switches}[0].focus()`);
      const first = "document.querySelector('.switches li').innerText";
      await press(page, "Enter");
      await until(page, `${first}.includes('Caught')`);
      assert.equal(await page.evaluate(focused), "Break gelu", "it keeps the focus");
      assert.equal(await page.evaluate(`${switches}[0].ariaChecked`), "true");
      assert.match(await page.evaluate(first), /failed: \[/);
      assert.equal(
        await page.evaluate("document.querySelector('.diff del').innerText.trim()"),
        "dx[i] = storeVector(loadVector(dy[i]) * (cumulative(value) + value * density));",
      );
      await assertFits(page);
      await press(page, "Enter");
      await until(page, `${first}.includes('it passes')`);
      assert.equal(await page.evaluate(`${switches}[0].ariaChecked`), "false");
      assert.doesNotMatch(await page.evaluate(first), /failed/);
      assert.deepEqual(page.complaints, []);
    }),
);

Deno.test(
  "in Chromium kernels are timed until they are stopped, and copied as what the benchmarks read",
  { ignore: !program },
  () =>
    onPage(withWebgpu, async (page, url) => {
      await page.evaluate("location.hash = '#measure'");
      const button = (text: string) =>
        `[...document.querySelectorAll("button")].find((each) =>
          each.checkVisibility() && each.innerText.startsWith("${text}"))`;
      await until(page, `${button("Time all")}?.disabled === false`);
      assert.equal(await page.evaluate(`${button("Copy")}.disabled`), true);
      await page.evaluate(`${button("Time all")}.click()`);
      await until(page, "document.querySelectorAll('.kernels tbody tr').length >= 2");
      await page.evaluate(`${button("Stop")}.click()`);
      await until(page, `${button("Copy")}.disabled === false`);
      const rows = await page.evaluate<number>(
        "document.querySelectorAll('.kernels tbody tr').length",
      );
      await page.evaluate(`
        navigator.clipboard.writeText = (text) => Promise.resolve(void (window.copied = text));
        ${button("Copy")}.click()`);
      await until(page, "document.body.innerText.includes('Copied.')");
      const document = JSON.parse(await page.evaluate("window.copied"));
      assert.equal(document.kind, "page");
      const [result] = resultsIn(document, "measured.json");
      assert.equal(parseResult(result, "measured.json").kind, "kernels");
      assert.equal(document.kernels.results.length, rows);
      assert.match(document.machine.runtime, /Chrome/);
      await assertFits(page);
      assert.deepEqual(page.complaints, []);
      assert.ok(page.requests.every((request) => request.startsWith(url)));
    }),
);
