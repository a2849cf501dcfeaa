/** `deno task exercise N`: says whether an exercise is solved, and what is missing. Exit code 0 solved, 1 not, 2 wrong use. */
import type { Exercise } from "./checks/exercise.ts";

/** Each is loaded when it is asked for: a file that is being edited may not load. */
const exercises: (() => Promise<Exercise>)[] = [
  async () => (await import("./checks/counts.ts")).counts,
  async () => (await import("./checks/placement.ts")).placement,
  async () => (await import("./checks/layer_norm.ts")).layerNorm,
  async () => (await import("./checks/method.ts")).method,
  async () => (await import("./checks/kernel.ts")).kernel,
];

async function main([number, ...rest]: string[]): Promise<number> {
  const load = rest.length === 0 && /^\d+$/.test(number ?? "") && exercises[Number(number) - 1];
  if (!load) {
    const asked = [number, ...rest].join(" ").trim();
    console.error(
      `${asked ? `There is no exercise "${asked}". ` : ""}deno task exercise N, with N from 1 to ` +
        `${exercises.length}; docs/exercises/README.md tells of them.`,
    );
    return 2;
  }
  try {
    const { title, file, check } = await load();
    console.log(`Exercise ${number}: ${title} (${file})`);
    const { solved, says } = await check();
    console.log(`${solved ? "Solved." : "Not yet."} ${says}`);
    return solved ? 0 : 1;
  } catch (error) {
    // What is edited may throw anything: the place is what the reader needs.
    console.log(`Not yet. ${error instanceof Error ? error.stack ?? error.message : error}`);
    return 1;
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
