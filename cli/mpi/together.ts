/** Steps that every rank makes by itself: all learn what came of it, and of a failure on any. */
import { deserialize, serialize } from "node:v8";
import { UserError } from "../../models/errors.ts";
import { messageWithAdvice } from "../shared/advice.ts";
import type { Communicator } from "./communicator.ts";

type Outcome<Told> = { host: string } & ({ told: Told } | { failed: string });

/** As messages name a rank. */
export const rankName = (rank: number, host: string): string => `rank ${rank} on ${host}`;

/**
 * Makes a step on all ranks; gives its result here, and what every rank tells of its own. Throws on all where it failed on
 * any: the error itself where all have the same one, else a UserError with each rank's.
 */
export async function together<Result, Told>(
  ranks: Communicator,
  step: () => Promise<Result>,
  tell: (result: Result) => Told,
): Promise<{ result: Result; told: Told[] }> {
  const { host } = ranks;
  let result: Result;
  let error: unknown;
  const outcome: Outcome<Told> = await step().then((made) => {
    result = made;
    return { host, told: tell(made) };
  }, (thrown: unknown) => {
    error = thrown;
    return { host, failed: messageWithAdvice(thrown) };
  });
  const all = ranks.gather(serialize(outcome)).map((bytes): Outcome<Told> => deserialize(bytes));
  const failures = all.flatMap((each, rank) =>
    "failed" in each ? [{ name: rankName(rank, each.host), sentence: each.failed }] : []
  );
  if (failures.length > 0) {
    const same = new Set(failures.map(({ sentence }) => sentence)).size === 1;
    if (same && failures.length === ranks.size) throw error;
    throw new UserError(failures.map(({ name, sentence }) => `${name}: ${sentence}`).join("\n"));
  }
  return { result: result!, told: all.flatMap((each) => "told" in each ? [each.told] : []) };
}
