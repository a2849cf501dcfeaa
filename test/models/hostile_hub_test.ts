/** A hub, a mirror or somebody between that means harm: nothing is written outside the cache, and no token leaves. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import { HubUnreachable } from "../../models/host/hub_errors.ts";
import { listRepository, type Repository } from "../../models/host/hub.ts";
import { checkStorable } from "../../models/host/listing.ts";
import { locateDataset } from "../../models/host/locate.ts";
import { openRepository } from "../../models/host/repository.ts";
import { resolveModel } from "../../models/host/resolve.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { withFolder } from "../files/temporary.ts";
import { type FakeHub, hashOf, patience, withFakeHub } from "./fake_hub.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const rows = "text,label\na,1\nb,0\n";
const model = {
  "config.json": JSON.stringify({
    model_type: "bert",
    vocab_size: 5,
    hidden_size: 8,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 16,
  }),
  "vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n",
  "model.safetensors": new Uint8Array(500).fill(5),
};
const good = { type: "file", path: "train.csv", size: rows.length, oid: hashOf(rows) };
const repository: Repository = { type: "dataset", name: "org/rows" };
const token = "hf_itsmytokenalone";

/** Every file below a folder, with its bytes: of links where they lead. */
async function treeOf(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(`${prefix}${name}/`, ...await treeOf(path, `${prefix}${name}/`));
    else if (isSymlink) found.push(`${prefix}${name} -> ${await Deno.readLink(path)}`);
    else {found.push(
        `${prefix}${name} ${createHash("sha1").update(await Deno.readFile(path)).digest("hex")}`,
      );}
  }
  return found.sort();
}

/** A cache three folders deep, among files of the user's that must stay as they are. */
async function withSentinels(
  test: (hub: FakeHub, settings: HubSettings) => Promise<void>,
): Promise<void> {
  const repositories = {
    "datasets/org/rows": { revision, files: { "train.csv": rows } },
    "models/org/rows": { revision, files: model },
  };
  await withFakeHub(repositories, (hub, { endpoint }) =>
    withFolder(async (home) => {
      const cacheFolder = join(home, "a", "b", "cache");
      await Deno.mkdir(cacheFolder, { recursive: true });
      for (const name of ["x", "a/config.json", "a/b/x", "a/b/train.csv"]) {
        await Deno.writeTextFile(join(home, name), "mine");
      }
      const outside = async () =>
        (await treeOf(home)).filter((line) => !line.startsWith("a/b/cache/"));
      const before = await outside();
      await test(hub, { endpoint, cacheFolder, offline: false, patience, token });
      assert.deepEqual(await outside(), before, "written outside the cache");
      for (const line of await treeOf(cacheFolder)) {
        const link = / -> (.*)$/.exec(line)?.[1];
        assert.ok(link === undefined || /^(\.\.\/)+blobs\/[0-9a-f]+$/.test(link), line);
      }
    }));
}

const isApi = (path: string, verb: string) =>
  path.startsWith("/api/") && path.includes(`/${verb}/`);

/** Lets the hub answer with this listing. */
function listing(hub: FakeHub, entries: unknown, headers: Record<string, string> = {}): void {
  hub.instead = (path) => isApi(path, "tree") ? Response.json(entries, { headers }) : undefined;
}

const refused = (work: Promise<unknown>, message: RegExp) =>
  assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof UserError && !(error instanceof HubUnreachable), String(error));
    assert.match(error.message, message);
    assert.ok(error.message.length < 700, error.message);
    return true;
  });

Deno.test("listed paths, sizes and hashes that no repository has are refused", () =>
  withSentinels(async (hub, settings) => {
    const impossible =
      /cannot be trusted when asked for org\/rows: a file that no repository can hold/;
    const paths = [
      "../../../x",
      "/etc/x.csv",
      "a/../../x.csv",
      "./x.csv",
      "a//x.csv",
      "",
      ".git/config",
    ];
    for (const path of [...paths, "a/.GIT/x.csv", "x\0.csv", "x".repeat(2000), 7, null]) {
      listing(hub, [{ ...good, path }]);
      await refused(locateDataset("org/rows", settings), impossible);
    }
    for (
      const path of [
        "..\\..\\x.csv",
        "C:\\x.csv",
        "c:x.csv",
        "x\x1b]0;\x07.csv",
        `${"x".repeat(250)}.csv`,
      ]
    ) {
      listing(hub, [{ ...good, path }]);
      await refused(locateDataset("org/rows", settings), /is no name for a file on this machine/);
    }
    for (const size of [-1, 0.5, 1e300, "12", null, undefined]) {
      listing(hub, [{ ...good, size }]);
      await refused(locateDataset("org/rows", settings), /a size of .* for "train\.csv"/);
    }
    for (const oid of ["../../../../x", "unknown", "", revision.toUpperCase(), 5, undefined]) {
      listing(hub, [{ ...good, oid }]);
      await refused(locateDataset("org/rows", settings), /a hash that is none/);
      listing(hub, [{ ...good, lfs: { oid: oid ?? "../x", size: 1 } }]);
      await refused(locateDataset("org/rows", settings), /a hash that is none/);
    }
    listing(hub, [good, good]);
    await refused(locateDataset("org/rows", settings), /"train\.csv" listed twice/);
    const enormous = { ...settings, freeBytes: () => Promise.resolve(1e12) };
    listing(hub, [{ ...good, size: 1e15 }]);
    await refused(
      locateDataset("org/rows", enormous),
      /needs 1000000 GB, and the disk has 1000 GB/,
    );
    hub.instead = undefined;
    assert.equal((await locateDataset("org/rows", settings)).paths.length, 1);
  }));

Deno.test("names that Windows keeps for itself are refused there alone", () => {
  for (const path of ["con.csv", "a/AUX", "xy:z.csv", "dir./x.csv", "x.csv "]) {
    assert.throws(() => checkStorable(path, "windows"), UserError, path);
    checkStorable(path, "linux");
  }
  checkStorable("data/conan.csv", "windows");
});

Deno.test("listings without an end, answers without a bound, and what is no listing are refused", () =>
  withSentinels(async (hub, settings) => {
    let pages = 0;
    hub.instead = (path) => {
      if (!isApi(path, "tree")) return undefined;
      const next = `${hub.endpoint}/api/datasets/org/rows/tree/${revision}?cursor=${++pages}`;
      return Response.json([], { headers: { link: `<${next}>; rel="next"` } });
    };
    await refused(
      listRepository(repository, settings),
      /a listing that does not end after 200 pages/,
    );
    assert.ok(pages < 205);
    const many = Array.from({ length: 100_001 }, (_, at) => ({ ...good, path: `${at}` }));
    listing(hub, many);
    await refused(listRepository(repository, settings), /a listing of more than 100000 files/);
    hub.instead = (path) => {
      if (!isApi(path, "tree")) return undefined;
      const piece = new Uint8Array(1e6).fill(0x20);
      let left = 100;
      return new Response(
        new ReadableStream({
          pull: (controller) => left-- > 0 ? controller.enqueue(piece) : controller.close(),
        }),
      );
    };
    await refused(listRepository(repository, settings), /an answer of more than 32\.0 MB/);
    for (
      const text of [
        "<!DOCTYPE html><p>Log in</p>",
        "",
        "null",
        "7",
        "{}",
        "[null]",
        "[7]",
        '"x"',
        "[".repeat(1e5),
      ]
    ) {
      hub.instead = (path) => isApi(path, "tree") ? new Response(text) : undefined;
      await refused(listRepository(repository, settings), /./);
      hub.instead = (path) => isApi(path, "revision") ? new Response(text) : undefined;
      await refused(listRepository(repository, settings), /./);
    }
    for (const sha of ["../../../x", "", null, 5, revision.slice(1), `${revision}/..`]) {
      hub.instead = (path) => isApi(path, "revision") ? Response.json({ sha }) : undefined;
      await refused(listRepository(repository, settings), /no commit by its hash/);
    }
  }));

Deno.test("the token goes to the endpoint alone: not with redirects, not to the next page elsewhere", () =>
  withSentinels(async (hub, settings) => {
    const seen: (string | null)[] = [];
    const cdn = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      seen.push(request.headers.get("authorization"));
      return request.url.includes("/page") ? Response.json([]) : new Response(rows);
    });
    const elsewhere = `http://127.0.0.1:${cdn.addr.port}`;
    try {
      hub.instead = (path, request) => {
        assert.equal(request.headers.get("authorization"), `Bearer ${token}`);
        if (isApi(path, "tree")) {
          return Response.json([good], { headers: { link: `<${elsewhere}/page>; rel="next"` } });
        }
        return path.includes("/resolve/") ? Response.redirect(`${elsewhere}/blob`) : undefined;
      };
      const { paths } = await locateDataset("org/rows", settings);
      assert.equal(await Deno.readTextFile(paths[0]), rows, "large files come from another host");
      const opened = await openRepository(
        [{ type: "dataset", name: "org/rows" }],
        () => ["other"],
        settings,
      );
      assert.equal(await opened.folder.text("train.csv"), rows);
      assert.deepEqual(seen, [null, null, null, null]);
      for (
        const [location, message] of [
          ["file:///etc/passwd", /a redirect to file:, which is not on the web/],
          ["data:application/json,[]", /a redirect to data:/],
          ["http://[", /a redirect that leads nowhere/],
          [`${hub.endpoint}/api/datasets/org/rows/revision/main`, /more than 10 redirects/],
          ["http://169.254.169.254/latest", /leads to 169\.254\.169\.254.*may not reach/],
        ] as const
      ) {
        hub.instead = () => new Response(null, { status: 302, headers: { location } });
        await refused(listRepository(repository, settings), message);
      }
    } finally {
      await cdn.shutdown();
    }
  }));

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
      { numRuns },
    );
  });
  assert.equal(arrived.size, 2, "attacks that do no harm leave something that can be had");
});
