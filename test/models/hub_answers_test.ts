/** Whatever a hub answers: FUZZ=3000 tries more of it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import { locateDataset } from "../../models/host/locate.ts";
import { resolveModel } from "../../models/host/resolve.ts";
import { hashOf } from "./fake_hub.ts";
import { isApi, revision, rows, withSentinels } from "./hostile_hub.ts";

/** What a hub may put where something else belongs. */
const nonsense = fc.oneof(
  fc.constantFrom<unknown>(
    "../../../x",
    "../../../../x.csv",
    "../../../../train.csv",
    "/x",
    "a/../../x",
    ".git/x",
    "..\\x",
    "C:\\x",
    "train.csv",
    "con.csv",
  ),
  fc.constantFrom<unknown>(
    "x\0",
    "\x1b[2J.csv",
    "",
    ".",
    "..",
    null,
    -1,
    0.5,
    1e15,
    1e300,
    true,
    {},
    [],
  ),
  fc.constantFrom<unknown>(
    "../".repeat(300),
    "é".repeat(300) + ".csv",
    hashOf(rows),
    revision,
    "f".repeat(64),
  ),
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.jsonValue(),
);

const anyEntry = fc.record(
  {
    type: fc.constantFrom("file", "directory"),
    path: nonsense,
    size: nonsense,
    oid: nonsense,
    lfs: nonsense,
  },
  { requiredKeys: ["type"] },
);

/** Answers that differ from a hub's: a listing, a commit, a status and headers, or a body. */
const attack = fc.record({
  listing: fc.oneof({ weight: 4, arbitrary: fc.constant(undefined) }, {
    weight: 1,
    arbitrary: nonsense,
  }),
  changed: fc.array(
    fc.record({
      at: fc.nat(9),
      key: fc.constantFrom("type", "path", "size", "oid", "lfs"),
      value: nonsense,
    }),
    { maxLength: 2 },
  ),
  more: fc.array(anyEntry, { maxLength: 2 }),
  sha: fc.oneof({ weight: 9, arbitrary: fc.constant(undefined) }, {
    weight: 1,
    arbitrary: nonsense,
  }),
  status: fc.option(fc.constantFrom(204, 206, 302, 304, 307, 400, 401, 404, 416, 429, 500), {
    nil: undefined,
    freq: 4,
  }),
  headers: fc.dictionary(
    fc.constantFrom(
      "link",
      "location",
      "content-range",
      "retry-after",
      "content-encoding",
      "x-error-code",
      "etag",
    ),
    fc.oneof(
      fc.constantFrom(
        '<../x>; rel="next"',
        "bytes 0-1/2",
        "bytes 5-1/99999999999999999999",
        "gzip",
        "0",
        "-1",
        "1e9",
      ),
      fc.constantFrom("/x", "file:///x", "../../x", "GatedRepo", "https://[", "bytes */0"),
      fc.string({ maxLength: 20 }).map((text) => text.replace(/[^ -~]/g, "").trim()),
    ),
    { maxKeys: 2 },
  ),
  body: fc.option(fc.uint8Array({ maxLength: 60 }), { nil: undefined }),
});

const harmless = {
  listing: undefined,
  changed: [],
  more: [],
  sha: undefined,
  status: undefined,
  headers: {},
  body: undefined,
};

Deno.test("whatever a hub answers, a data set arrives or a sentence does, and nothing lands outside the cache", async () => {
  const numRuns = Number(Deno.env.get("FUZZ") ?? 60);
  const arrived = new Set<string>();
  await withSentinels(async (hub, settings) => {
    const listings: Record<string, object[]> = {};
    for (const kind of ["datasets", "models"]) {
      const answer = await fetch(`${hub.endpoint}/api/${kind}/org/rows/tree/main`);
      listings[kind] = await answer.json();
    }
    await fc.assert(
      fc.asyncProperty(attack, async ({ listing, changed, more, sha, status, headers, body }) => {
        hub.instead = (path) => {
          const init = { status: status ?? 200, headers };
          if (isApi(path, "revision") && sha !== undefined) return Response.json({ sha });
          if (isApi(path, "tree")) {
            if (listing !== undefined) return Response.json(listing);
            const files = listings[path.split("/")[2]].map((file) => ({ ...file }));
            for (const { at, key, value } of changed) {
              (files[at % files.length] as Record<string, unknown>)[key] = value;
            }
            return Response.json([...files, ...more], { headers: { link: headers.link ?? "" } });
          }
          if (!path.includes("/resolve/")) return undefined;
          if (status === undefined && body === undefined) return undefined;
          const empty = [204, 304].includes(init.status);
          return new Response(empty ? null : body as Uint8Array<ArrayBuffer>, init);
        };
        for (const get of [locateDataset, resolveModel]) {
          try {
            await get("org/rows", settings);
            arrived.add(get.name);
          } catch (error) {
            assert.ok(error instanceof UserError, String((error as Error).stack));
          }
        }
        for (const kind of ["datasets", "models"]) {
          const stored = join(settings.cacheFolder, `${kind}--org--rows`);
          await Deno.remove(stored, { recursive: true }).catch(() => {});
        }
      }),
      { numRuns, examples: [[harmless]] },
    );
  });
  assert.equal(arrived.size, 2, "where the hub does no harm, both can be had");
});
