/** What a download does where the network or the hub fails it. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { UserError } from "../../models/errors.ts";
import type { DownloadProgress } from "../../models/host/download.ts";
import { HubFailing, HubUnreachable } from "../../models/hub/errors.ts";
import { downloadFiles, listRepository } from "../../models/host/hub.ts";
import type { Repository } from "../../models/hub/repository.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { type FakeHub, hashOf, withFakeHub } from "./fake_hub.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const repository: Repository = { type: "model", name: "org/tiny" };
const weights = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) >> 3);
const path = "model.bin";
const files = { [path]: weights, "empty.txt": "", "ünï #1.txt": "ö" };
const hash = hashOf(weights);

/** A hub with the file, what was waited between tries, and a try to get it. */
function withDownload(
  test: (
    hub: FakeHub,
    get: (more?: Partial<HubSettings>) => Promise<Uint8Array>,
    waited: number[],
    blob: string,
  ) => Promise<void>,
): Promise<void> {
  return withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    const waited: number[] = [];
    const wait = (seconds: number) => Promise.resolve(void waited.push(seconds));
    const listing = await listRepository(repository, settings);
    const get = async (more: Partial<HubSettings> = {}) => {
      const patience = { wait, ...more.patience };
      const asked = { ...settings, ...more, patience };
      const { folder } = await downloadFiles(repository, listing, [path], asked);
      return await Deno.readFile(join(folder, path));
    };
    hub.requests.length = 0;
    hub.bytesSent = 0;
    await test(hub, get, waited, join(settings.cacheFolder, "models--org--tiny", "blobs", hash));
  });
}

type End = "error" | "silence" | "close";

/** A body that sends so many bytes and then breaks off, or stays silent. */
function broken(first: number, bytes: number, end: End): Response {
  const part = weights.slice(first, first + bytes);
  let release = () => {};
  const body = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start(controller) {
      controller.enqueue(part);
      if (end !== "silence") controller.close();
    },
    // A pull after the first piece: what was enqueued has gone out.
    pull() {
      if (end === "silence") return new Promise((resolve) => release = resolve);
    },
    cancel: () => release(),
  }, { highWaterMark: 0 });
  const range = { "content-range": `bytes ${first}-${weights.length - 1}/${weights.length}` };
  // Of a body that is shorter than its header says the server breaks the connection.
  const length = { "content-length": String(weights.length - first) };
  return new Response(body, {
    status: first === 0 ? 200 : 206,
    headers: { ...(first === 0 ? {} : range), ...(end === "error" ? length : {}) },
  });
}

const firstOf = (request: Request) =>
  Number(/^bytes=(\d+)-/.exec(request.headers.get("range") ?? "")?.[1] ?? 0);

const isFile = (path: string) => path.includes("/resolve/");

for (const end of ["error", "silence", "close"] satisfies End[]) {
  Deno.test(`a body that ends in ${end} is gone on with from where it stopped`, () =>
    withDownload(async (hub, get, waited) => {
      const begins: number[] = [];
      hub.instead = (path, request) => {
        if (!isFile(path)) return undefined;
        begins.push(firstOf(request));
        return begins.length < 3 ? broken(firstOf(request), 100_000, end) : undefined;
      };
      assert.deepEqual(await get({ patience: { stallAfter: 0.2 } }), weights);
      assert.equal(begins.length, 3);
      assert.equal(begins[0], 0);
      if (end !== "error") assert.deepEqual(begins, [0, 100_000, 200_000]);
      assert.deepEqual(waited, [2, 4]);
    }));
}

Deno.test("what came before the program ended is not asked again", () =>
  withDownload(async (hub, get, waited, blob) => {
    hub.instead = (path, request) =>
      isFile(path) ? broken(firstOf(request), 10_000, "close") : undefined;
    await assert.rejects(get(), (error: unknown) => {
      assert.ok(error instanceof HubFailing, String(error));
      assert.match(error.message, /model\.bin arrived with 40000 of 300000 bytes\). Try again/);
      return true;
    });
    assert.deepEqual(waited, [2, 4, 8]);
    assert.equal((await Deno.stat(`${blob}.incomplete`)).size, 40_000);
    hub.instead = undefined;
    assert.deepEqual(await get(), weights);
    assert.equal(hub.bytesSent, 260_000);
    await assert.rejects(Deno.stat(`${blob}.incomplete`), Deno.errors.NotFound);
  }));

Deno.test("a part of something else, or too long a one, is begun anew; so is one that a server cannot go on with", () =>
  withDownload(async (hub, get, _waited, blob) => {
    for (const length of [1000, weights.length, weights.length + 5]) {
      await get();
      await Deno.remove(blob);
      await Deno.writeFile(`${blob}.incomplete`, new Uint8Array(length));
      assert.deepEqual(await get(), weights);
    }
    hub.ignoresRanges = true;
    await Deno.remove(blob);
    await Deno.writeFile(`${blob}.incomplete`, weights.slice(0, 5000));
    assert.deepEqual(await get(), weights);
    // A link there leads nowhere.
    const outside = await Deno.makeTempFile();
    await Deno.remove(blob);
    await Deno.symlink(outside, `${blob}.incomplete`);
    assert.deepEqual(await get(), weights);
    assert.equal((await Deno.stat(outside)).size, 0);
    await Deno.remove(outside);
  }));

Deno.test("two programs that download the same file do not mix their parts", () =>
  withDownload(async (hub, get, _waited, blob) => {
    assert.deepEqual(await Promise.all([get(), get(), get()]), [weights, weights, weights]);
    hub.instead = (path) => isFile(path) ? broken(0, 10, "close") : undefined;
    await Deno.remove(blob);
    await Promise.allSettled([get(), get()]);
    const names = [...Deno.readDirSync(dirname(blob))].map(({ name }) => name);
    assert.deepEqual(names, [`${hash}.incomplete`], "only one part is gone on with");
  }));

Deno.test("other content, more of it, and no room on the disk are sentences, and nothing is kept", () =>
  withDownload(async (hub, get, _waited, blob) => {
    const said = async (message: RegExp, more: Partial<HubSettings> = {}) => {
      await assert.rejects(get(more), (error: unknown) => {
        assert.ok(error instanceof UserError && !(error instanceof HubUnreachable));
        assert.match(error.message, message);
        return true;
      });
      await assert.rejects(Deno.stat(blob), Deno.errors.NotFound);
    };
    const send = (bytes: Uint8Array<ArrayBuffer>) => {
      hub.instead = (path) => isFile(path) ? new Response(bytes) : undefined;
    };
    const flipped = weights.slice();
    flipped[1234] ^= 1;
    send(flipped);
    await said(/sends what cannot be trusted .* model\.bin with another content than its hash/);
    send(new Uint8Array(300_001));
    await said(/more than the 300000 bytes that it lists of model\.bin\. Nothing of it is used/);
    hub.instead = undefined;
    await said(
      /it needs 300 kB, and the disk has 299 kB free\. HF_HUB_CACHE names another folder/,
      { freeBytes: () => Promise.resolve(299_000) },
    );
    assert.deepEqual(await get({ freeBytes: () => Promise.resolve(300_000) }), weights);
  }));

Deno.test("5xx and 429 are asked again, as long as is asked for; then they are sentences", () =>
  withDownload(async (hub, get, waited) => {
    const heard: string[] = [];
    const report = (message: string) => void heard.push(message);
    const failing = (status: number, times: number, retryAfter?: string) => {
      waited.length = heard.length = 0;
      let left = times;
      hub.instead = (path) => {
        if (!isFile(path) || left-- <= 0) return undefined;
        return new Response("<html>", {
          status,
          headers: retryAfter === undefined ? {} : { "retry-after": retryAfter },
        });
      };
    };
    const said = (message: RegExp) =>
      assert.rejects(get({ report }), (error: unknown) => {
        assert.ok(error instanceof HubFailing, String(error));
        assert.match(error.message, message);
        return true;
      });
    failing(500, 9);
    await said(/answered 500 when asked for org\/tiny, four times\. Try again later\.$/);
    assert.deepEqual(waited, [1, 2, 4]);
    failing(429, 9, "120");
    await said(/no more requests for now \(answer 429.*Try again in 120 seconds\. With HF_TOKEN/);
    assert.deepEqual(waited, []);
    failing(429, 9, "1");
    await said(/Try again in 1 second\. /);
    for (const wait of ["0", "Wed, 21 Oct 2099 07:28:00 GMT"]) {
      failing(429, 9, wait);
      await said(/Try again later\. With HF_TOKEN/);
    }
    failing(429, 2, "7");
    assert.deepEqual(await get({ report }), weights);
    assert.deepEqual(waited, [7, 7]);
    assert.match(heard[1], /^127\.0\.0\.1:\d+: answer 429; asking again in 7 s\.$/);
  }));

Deno.test("a server that says nothing has a time limit, and is no missing network", () =>
  withDownload(async (hub, get) => {
    const late: (() => void)[] = [];
    hub.instead = (path) =>
      isFile(path)
        ? new Promise((resolve) => late.push(() => resolve(new Response("late"))))
        : undefined;
    await assert.rejects(get({ patience: { answerWithin: 0.1 } }), (error: unknown) => {
      assert.ok(error instanceof HubFailing);
      assert.match(error.message, /no answer within 0\.1 seconds/);
      return true;
    });
    for (const answer of late) answer();
  }));

Deno.test("progress tells bytes and rate, and ends with the file", () =>
  withDownload(async (_hub, get) => {
    const told: DownloadProgress[] = [];
    await get({ progress: (progress) => void told.push(progress) });
    const { path, done, total, bytesPerSecond } = told.at(-1)!;
    assert.deepEqual([path, done, total], ["model.bin", 300_000, 300_000]);
    assert.ok(bytesPerSecond > 0);
  }));

Deno.test("empty files and names that need escaping arrive", async () => {
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (_hub, settings) => {
    const listing = await listRepository(repository, settings);
    const paths = Object.keys(files);
    const { folder } = await downloadFiles(repository, listing, paths, settings);
    assert.equal(await Deno.readTextFile(join(folder, "empty.txt")), "");
    assert.equal(await Deno.readTextFile(join(folder, "ünï #1.txt")), "ö");
    const link = await Deno.readLink(join(folder, path));
    assert.equal(link, join("..", "..", "blobs", hash), "as Python's huggingface_hub links");
  });
});
