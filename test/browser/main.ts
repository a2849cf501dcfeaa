/**
 * The kernel tests in Chromium, `deno task test:browser`: each becomes a test of Deno's that runs the one of its name in a
 * page. With `--all` those too that take minutes there.
 */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { runProgram } from "../cli/command.ts";
import { findChromium } from "../report/chromium.ts";
import { type Browser, openBrowser, type TestPage } from "./browser.ts";
import { leftOut, slow } from "./chosen.ts";
import type { Listed } from "./page.ts";
import { checkSite } from "./site.ts";

const path = (name: string) => fileURLToPath(new URL(`../../${name}`, import.meta.url));
const all = Deno.args.includes("--all");

/** The browser's connection stays open from one test to the next. */
const unsanitized = { sanitizeOps: false, sanitizeResources: false };

const ignored = (name: string) => Deno.test({ name, ignore: true, fn() {} });

/** The page of the test file that runs, which its tests share as they share a process elsewhere. */
let current: { file: string; page: TestPage } | undefined;

/** Gives the page of a test file, newly opened unless a test before was of the same. */
async function pageOf(browser: Browser, file: string): Promise<TestPage> {
  if (current?.file !== file) {
    await current?.page.close();
    current = { file, page: await browser.open() };
    await current.page.load(bundleOf(file));
  }
  return current.page;
}

const bundleOf = (file: string) => `/engine/${file.replace(/\.ts$/, ".js")}`;

/** A test whose body is the page's. */
function register(browser: Browser, file: string, { name, ignore }: Listed, index: number): void {
  const isLeft = !all && slow.some((start) => name.startsWith(start));
  Deno.test({
    name: `${file}: ${name}${isLeft ? " (with --all)" : ""}`,
    ignore: ignore || isLeft,
    ...unsanitized,
    async fn() {
      const failure = await (await pageOf(browser, file)).run(index);
      if (failure !== undefined) throw new Error(failure);
    },
  });
}

/** LoRA's steps in a page against the same in Deno. */
function registerTraining(browser: Browser): void {
  Deno.test({
    name: "three steps of LoRA on mini and the sample have Deno's losses",
    ...unsanitized,
    async fn() {
      const page = await browser.open();
      const actual = await page.losses();
      await page.close();
      const run = ["run", "-q", "--no-prompt", `--allow-read=${path("assets")}`];
      const ended = await runProgram(Deno.execPath(), [...run, path("test/browser/expected.ts")]);
      assert.equal(ended.code, 0, ended.stderr);
      const expected: number[] = JSON.parse(ended.stdout);
      assert.equal(actual.length, 3);
      assert.equal(expected.length, 3);
      expected.forEach((loss, step) =>
        assert.ok(
          Math.abs(actual[step] / loss - 1) <= 1e-5,
          `step ${step + 1}: ${actual[step]} for ${loss}`,
        )
      );
    },
  });
}

/** The page of `deno task web`, for those who hear it or see little. */
function registerSite(browser: Browser): void {
  Deno.test({
    name: "axe finds no fault in the page of deno task web, light and dark, narrow and wide",
    ...unsanitized,
    async fn() {
      const page = await browser.openSite();
      await checkSite(page);
      await page.close();
    },
  });
}

/** Asks the page of each file for its tests. */
async function registerFiles(browser: Browser, files: readonly string[]): Promise<void> {
  const names: string[] = [];
  for (const file of files) {
    const page = await browser.open();
    const tests = await page.load(bundleOf(file));
    await page.close();
    assert.ok(tests.length > 0, `${file} has no tests in the page.`);
    names.push(...tests.map(({ name }) => name));
    tests.forEach((test, index) => register(browser, file, test, index));
  }
  const gone = slow.filter((start) => !names.some((name) => name.startsWith(start)));
  assert.deepEqual(gone, [], "chosen.ts names tests that are there");
}

async function registerAll(program: string): Promise<void> {
  const files = [...Deno.readDirSync(path("test/engine"))].map(({ name }) => name)
    .filter((name) => name.endsWith("_test.ts") && !(name in leftOut)).sort();
  const browser = await openBrowser(program, files.map((file) => path(`test/engine/${file}`)));
  try {
    await registerFiles(browser, files);
  } catch (error) {
    await browser.close();
    throw error;
  }
  registerTraining(browser);
  registerSite(browser);
  for (const [file, reason] of Object.entries(leftOut)) ignored(`${file} is left out: ${reason}`);
  Deno.test.afterAll(() => browser.close());
}

const unknown = Deno.args.filter((argument) => argument !== "--all");
if (unknown.length > 0) {
  throw new Error(`There is no ${unknown.join(", ")}; --all is the one flag.`);
}
const program = findChromium();
if (program === undefined) ignored("Chromium is not there: the browser's tests are left out");
else await registerAll(program);
