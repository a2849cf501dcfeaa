/** What is below the host boundary runs in a browser: bundled for one, it asks for nothing of a host. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { runProgram } from "./cli/command.ts";
import { folderTest } from "./files/temporary.ts";

const pathOf = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Bundles a module for a browser, without comments; returns the code. */
async function bundle(entry: string, output: string): Promise<string> {
  const args = ["bundle", "-q", "--minify", "--platform", "browser", "-o", output, entry];
  const { code, stderr } = await runProgram(Deno.execPath(), args);
  assert.equal(code, 0, stderr);
  return await Deno.readTextFile(output);
}

/** The host's names in a bundle, and what it would still have to import. */
function hostIn(code: string): string[] {
  const names = /\bDeno\b|\b(process|Buffer|__dirname)\.|\brequire\(|["']node:[\w/]+["']/g;
  const imports = /(\bfrom|\bimport)\s*\(?\s*["'][\w@./:-]+["']/g;
  return [...code.match(names) ?? [], ...code.match(imports) ?? []];
}

/**
 * Runs the bundle without permissions and without the host's globals: it splits a data set, and
 * encodes a text, from bytes alone.
 */
const script = `
  for (const name of ["Deno", "process", "Buffer"]) delete globalThis[name];
  const page = await import(BUNDLE);
  const bytes = (text) => new TextEncoder().encode(text);
  const words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "hello"].join("\\n");
  const folder = page.memoryFolder("dropped", new Map([["vocab.txt", new Blob([words])]]));
  const { encode } = await page.loadTokenizer(folder);
  const rows = Array.from({ length: 6 }, (_, row) => "text " + row + "," + row % 2);
  const csv = page.bytesSource(bytes(["text,label", ...rows].join("\\n")), "rows.csv");
  const about = { name: "rows", source: "a test", sample: false, notices: [] };
  const { labels, examples } = await page.readDataset({ ...about, files: [csv] });
  const { train } = page.stratifiedSplit({ labels, examples }, { seed: 1 });
  const wanted = ["createDevice", "createModel", "train", "evaluate", "predict", "openWeights"];
  const missing = wanted.filter((name) => typeof page[name] !== "function");
  console.log(JSON.stringify({ ids: encode("Hello", 9), labels, train: train.length, missing }));
`;

folderTest(
  "what a page takes is bundled for a browser, with nothing of the host",
  async (folder) => {
    const output = join(folder, "page.js");
    const code = await bundle(pathOf("bundle_entry.ts"), output);
    assert.deepEqual(hostIn(code), []);
    assert(code.includes("@compute"), "the kernels are in it");
    const main = join(folder, "main.js");
    const url = JSON.stringify(pathToFileURL(output).href);
    await Deno.writeTextFile(main, script.replace("BUNDLE", url));
    const { stdout, stderr } = await runProgram(Deno.execPath(), [
      "run",
      "-q",
      "--no-prompt",
      main,
    ]);
    assert.equal(stderr, "");
    assert.deepEqual(JSON.parse(stdout), {
      ids: [2, 4, 3],
      labels: ["0", "1"],
      train: 2,
      missing: [],
    });
  },
);

folderTest("a bundle of what knows the host shows it", async (folder) => {
  const code = await bundle(pathOf("../models/host/files.ts"), join(folder, "host.js"));
  assert(hostIn(code).some((found) => found.includes("Deno")), code);
  assert(hostIn(code).some((found) => found.includes("node:path")), code);
});
