/** Results of several launches in one document: each number of ranks is a launch of its own. */
import { type MpiResult, parseResult } from "../schema.ts";
import type { Where } from "./measure.ts";

/** A result with the rows of an earlier one whose place it did not measure. */
export function merged(earlier: MpiResult, { reductions, steps, ...rest }: MpiResult): MpiResult {
  const key = ({ ranks, hosts, network }: Where) => JSON.stringify([ranks, hosts, network]);
  const now = new Set([...reductions, ...steps].map(key));
  const join = <Row extends Where>(old: readonly Row[], own: readonly Row[]) =>
    [...old.filter((row) => !now.has(key(row))), ...own]
      .sort((a, b) => a.network.localeCompare(b.network) || a.hosts - b.hosts || a.ranks - b.ranks);
  return {
    ...rest,
    reductions: join(earlier.reductions, reductions),
    steps: join(earlier.steps, steps),
  };
}

/** The same with a file's, where there is one. Throws where it is none of the benchmark's. */
export async function mergedWith(path: string, result: MpiResult): Promise<MpiResult> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return result;
    throw error;
  }
  const earlier = parseResult(JSON.parse(text), path);
  if (earlier.kind !== "mpi") throw new Error(`${path} holds a result of another kind.`);
  return merged(earlier, result);
}
