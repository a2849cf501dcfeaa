/** `deno task bench:docs`: writes the section of docs/performance.md and its plots from bench/results/*.json. */
import { fileURLToPath } from "node:url";
import { replaceSection } from "./markdown.ts";
import { writeFileWhole } from "../models/host/write.ts";
import { type Kept, performancePlots, performanceSection } from "./performance.ts";
import { resultsIn } from "./schema.ts";

const readme = fileURLToPath(new URL("../docs/performance.md", import.meta.url));
const folder = fileURLToPath(new URL("results/", import.meta.url));

/** The kept results, by file name. None where nothing was ever kept. */
async function keptResults(): Promise<Kept[]> {
  const kept: Kept[] = [];
  for (const name of await namesIn(folder)) {
    if (!name.endsWith(".json")) continue;
    const document: unknown = JSON.parse(await Deno.readTextFile(folder + name));
    kept.push(...resultsIn(document, name).map((result) => ({ file: name, result })));
  }
  return kept;
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

if (import.meta.main) {
  const document = await Deno.readTextFile(readme);
  const kept = await keptResults();
  for (const { file, svg } of performancePlots(kept)) await writeFileWhole(folder + file, svg);
  const changed = replaceSection(document, "performance", performanceSection(kept));
  // Not by a file beside it and a rename: the permission is for this file alone, and git has the old one.
  if (changed !== document) await Deno.writeTextFile(readme, changed);
  console.log(
    changed === document
      ? "docs/performance.md is up to date."
      : "docs/performance.md: section written.",
  );
}
