/** A hub, a mirror or somebody between that means harm: nothing is written outside the cache, and no token leaves. */
import assert from "node:assert/strict";
import { UserError } from "../../models/errors.ts";
import { HubUnreachable } from "../../models/hub/errors.ts";
import { listRepository } from "../../models/host/hub.ts";
import { checkStorable } from "../../models/host/storable.ts";
import { locateDataset } from "../../models/host/locate.ts";
import { openRepository } from "../../models/host/repository.ts";
import {
  good,
  isApi,
  listing,
  repository,
  revision,
  rows,
  token,
  withSentinels,
} from "./hostile_hub.ts";

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
        "up\\x.csv",
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
