/** A browser with WebGPU on a software adapter, and what its page loads: bundles, the built-in model and sample. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { runProgram } from "../cli/command.ts";
import type { Harness } from "./page.ts";

/** Fetched for these tests, under a lock of their own; no literals in imports, so that nothing else asks for them. */
const packages = {
  playwright: "npm:playwright-core@1.65.1",
  assert: "npm:assert@2.1.0",
  axe: "npm:axe-core@4.14.1",
};

/** The parts of playwright-core that are used. */
interface Playwright {
  chromium: {
    launch(options: { executablePath: string; args: string[] }): Promise<Chromium>;
  };
}
interface Chromium {
  newPage(): Promise<PlaywrightPage>;
  close(): Promise<void>;
}
export interface PlaywrightPage {
  on(event: "pageerror", listener: (error: Error) => void): void;
  goto(url: string): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  emulateMedia(media: { colorScheme: "light" | "dark" }): Promise<void>;
  evaluate<Value>(expression: string): Promise<Value>;
  close(): Promise<void>;
}

/** SwiftShader is Chromium's own; its kernels may take longer than a GPU's may before it is given up. */
const flags = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-gpu-watchdog",
];

const html = `<!doctype html><meta charset="utf-8"><title>Tests</title>
<script type="importmap">{ "imports": { "node:assert/strict": "/assert.js" } }</script>
<script type="module" src="/browser/page.js"></script>
`;

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Bundles modules for a browser into a folder, with what they share apart. */
async function bundle(folder: string, entries: string[], options: string[] = []): Promise<void> {
  const fixed = ["bundle", "-q", "--platform", "browser", "--code-splitting", "--outdir", folder];
  const { code, stderr } = await runProgram(Deno.execPath(), [...fixed, ...options, ...entries]);
  if (code !== 0) throw new Error(`The tests cannot be bundled: ${stderr}`);
}

/** Bundles test files by their paths, the page that runs them, and what stands in for node:assert. */
async function bundleAll(folder: string, paths: string[]): Promise<void> {
  const entry = join(folder, "assert.ts");
  await Deno.writeTextFile(entry, `export { strict as default } from "${packages.assert}";\n`);
  const lock = join(root, "test/browser/deno.lock");
  await bundle(folder, [entry], ["--no-config", `--lock=${lock}`, "--frozen"]);
  await bundle(folder, [join(root, "test/browser/page.ts"), ...paths]);
}

/** Builds the page of `deno task web`, below the tests' own. */
async function buildSite(folder: string): Promise<void> {
  const args = ["task", "-q", "web:build", "--output", join(folder, "site")];
  const { code, stderr } = await runProgram(Deno.execPath(), args);
  if (code !== 0) throw new Error(`The page cannot be built: ${stderr}`);
}

/** What a browser has to know of a file before it takes it for a page, its style or its code. */
const types: Readonly<Record<string, string>> = {
  html: "text/html",
  css: "text/css",
  js: "text/javascript",
};

async function answer(folder: string, { url }: Request): Promise<Response> {
  const { pathname } = new URL(url);
  if (pathname === "/") return new Response(html, { headers: { "content-type": "text/html" } });
  const path = pathname.startsWith("/assets/") ? join(root, pathname) : join(folder, pathname);
  try {
    const type = types[path.slice(path.lastIndexOf(".") + 1)] ?? "application/octet-stream";
    return new Response(await Deno.readFile(path), { headers: { "content-type": type } });
  } catch {
    return new Response(`There is no ${pathname}.`, { status: 404 });
  }
}

/** A page of its own, asked from outside. */
export interface TestPage extends Harness {
  close(): Promise<void>;
}

export interface Browser {
  open(): Promise<TestPage>;
  /** Opens the page of `deno task web`, with axe in it. */
  openSite(): Promise<PlaywrightPage>;
  close(): Promise<void>;
}

/** Starts the browser `program`, and serves the bundles of test files. */
export async function openBrowser(program: string, paths: string[]): Promise<Browser> {
  const folder = await Deno.makeTempDir();
  await bundleAll(folder, paths);
  const { chromium }: Playwright = await import(packages.playwright);
  const browser = await chromium.launch({ executablePath: program, args: flags });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => answer(folder, request),
  );
  return {
    async open() {
      const page = await browser.newPage();
      const uncaught: Error[] = [];
      page.on("pageerror", (error) => uncaught.push(error));
      await page.goto(`http://127.0.0.1:${server.addr.port}/`);
      const call = async <Value>(expression: string): Promise<Value> => {
        const value = await page.evaluate<Value>(`page.${expression}`);
        if (uncaught.length > 0) throw uncaught.shift();
        return value;
      };
      return {
        load: (url) => call(`load("${url}")`),
        run: (index) => call(`run(${index})`),
        losses: () => call("losses()"),
        close: () => page.close(),
      };
    },
    async openSite() {
      await buildSite(folder);
      const { default: axe }: { default: { source: string } } = await import(packages.axe);
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${server.addr.port}/site/index.html`);
      await page.evaluate(axe.source);
      return page;
    },
    async close() {
      await browser.close();
      await server.shutdown();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
