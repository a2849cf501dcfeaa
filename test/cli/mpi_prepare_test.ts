/** What ranks have to agree in before they train, told by one of two; test/mpi/ starts real ones. */
import assert from "node:assert/strict";
import type { Communicator } from "../../cli/mpi/communicator.ts";
import { loadAll } from "../../cli/mpi/prepare.ts";
import type { Loaded } from "../../cli/train/load.ts";
import { bertBaseUncased } from "../../models/encoders/mod.ts";

/** What a host has loaded, as far as ranks compare it. */
const loaded = {
  model: { name: "a-model", config: bertBaseUncased },
  weights: "sha256:1",
  tokenizer: { files: [{ name: "vocab.txt", bytes: Uint8Array.of(1, 2) }] },
  dataset: { hash: "h", labels: ["joy", "fear"] },
  split: { train: [{}, {}], validation: [{}], test: [{}] },
} as unknown as Loaded;

/** What rank 1 of host b says where it has this, and rank 0 of host a has {@link loaded}. */
async function meet(other: Loaded): Promise<string> {
  let first = new Uint8Array();
  const leader = {
    size: 1,
    host: "a",
    gather: (bytes: Uint8Array<ArrayBuffer>) => [first = bytes],
  };
  await loadAll(leader as unknown as Communicator, () => Promise.resolve(loaded));
  const follower = { size: 2, host: "b", gather: (bytes: Uint8Array) => [first, bytes] };
  return await loadAll(follower as unknown as Communicator, () => Promise.resolve(other))
    .then(({ hosts }) => hosts.join(), String);
}

Deno.test("ranks that differ in what they would train on are told in what, and by which", async () => {
  assert.equal(await meet(structuredClone(loaded)), "a,b");
  const files = (name: string, byte: number) => ({
    tokenizer: { files: [{ name, bytes: Uint8Array.of(1, byte) }] } as Loaded["tokenizer"],
  });
  const config = { ...bertBaseUncased, hiddenDropout: 0 };
  const cases: [Partial<Loaded>, RegExp][] = [
    [
      { weights: "sha256:2" },
      /the model's weights: rank 0 on a has sha256:1, rank 1 on b sha256:2/,
    ],
    [
      { model: { ...loaded.model, config } },
      /model's hidden_dropout: .* has 0\.1, rank 1 on b 0\./,
    ],
    [
      files("vocab.txt", 3),
      /the tokenizer's vocab\.txt: .* has a12871[0-9a-f]{58}, .* b [0-9a-f]{64}\./,
    ],
    [
      files("tokenizer.json", 2),
      /the tokenizer's tokenizer\.json: rank 0 on a has none, rank 1 on b /,
    ],
    [
      { dataset: { ...loaded.dataset, hash: "g" } },
      /the rows of the data: .* has h, rank 1 on b g\./,
    ],
    [
      { split: { ...loaded.split, test: [] } },
      /to train, validate and test on: .* 2, 1, 1, .* 2, 1, 0\./,
    ],
  ];
  for (const [changes, expected] of cases) {
    const said = await meet({ ...loaded, ...changes });
    assert.match(
      said,
      /^UserError: The ranks differ in .+\. They can train together on the same only\.$/,
    );
    assert.match(said, expected);
  }
});
