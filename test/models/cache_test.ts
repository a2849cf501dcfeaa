/** What is taken from the cache, and what stands in where there is neither cache nor network. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { cachedSnapshot } from "../../models/host/cache.ts";
import { HubUnreachable } from "../../models/hub/errors.ts";
import { downloadFiles, listRepository } from "../../models/host/hub.ts";
import type { Repository } from "../../models/hub/repository.ts";
import { locateDataset } from "../../models/host/locate.ts";
import { resolveModel } from "../../models/host/resolve.ts";
import { hashOf, tinyConfig, tinyVocabulary, withFakeHub, withoutHub } from "./fake_hub.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const repository: Repository = { type: "model", name: "org/tiny" };
const weights = Uint8Array.from({ length: 300_000 }, (_, at) => (at * 7919) >> 3);
const path = "model.bin";
const files = { [path]: weights };

Deno.test("mini and the sample stand in where there is no network, and nowhere else", async () => {
  await withoutHub(async (settings) => {
    assert.equal((await resolveModel(undefined, settings)).name, "mini");
    assert.equal((await locateDataset(undefined, settings)).sample, true);
    const nowhere = { ...settings, endpoint: "http://127.0.0.1:9" };
    assert.equal((await resolveModel(undefined, nowhere)).name, "mini");
  });
  await withFakeHub({}, async (hub, settings) => {
    const answers: (() => Response)[] = [
      ...[400, 401, 403, 404, 408, 429, 500, 503].map((status) => () =>
        new Response("no", { status, headers: { "retry-after": "0" } })
      ),
      () => new Response("<html>Log in to the hotel's network</html>"),
      () => new Response(null, { status: 302, headers: { location: "http://login.invalid/" } }),
    ];
    for (const answer of answers) {
      hub.instead = answer;
      for (const get of [resolveModel, locateDataset]) {
        await assert.rejects(get(undefined, settings), (error: unknown) => {
          assert.ok(error instanceof UserError && !(error instanceof HubUnreachable));
          assert.ok(error.remedy !== undefined);
          return true;
        });
      }
    }
  });
});

Deno.test("a changed byte in the cache is found before it is used, and put right by a new download", async () => {
  const model = {
    "config.json": tinyConfig,
    "vocab.txt": tinyVocabulary,
    "model.safetensors": weights,
  };
  const rows = { "train.csv": "text,label\na,1\nb,0\n" };
  const repositories = {
    "models/org/tiny": { revision, files: model },
    "datasets/org/rows": { revision, files: rows },
  };
  await withFakeHub(repositories, async (hub, settings) => {
    const offline = { ...settings, offline: true };
    const cases = [
      ["models--org--tiny", "model.safetensors", weights, resolveModel, "org/tiny"],
      ["models--org--tiny", "vocab.txt", model["vocab.txt"], resolveModel, "org/tiny"],
      ["datasets--org--rows", "train.csv", rows["train.csv"], locateDataset, "org/rows"],
    ] as const;
    for (const [folder, file, content, get, name] of cases) {
      await get(name, settings);
      hub.requests.length = 0;
      await get(name, offline);
      const blob = join(settings.cacheFolder, folder, "blobs", hashOf(content));
      const bytes = await Deno.readFile(blob);
      bytes[bytes.length >> 1] ^= 4;
      await Deno.writeFile(blob, bytes);
      for (const asked of [settings, offline]) {
        await assert.rejects(get(name, asked), (error: unknown) => {
          assert.ok(error instanceof UserError);
          assert.match(error.message, new RegExp(`^${file} of ${name} is damaged in the cache: `));
          assert.ok(error.message.includes(`${blob} does not hold`), error.message);
          return true;
        });
      }
      assert.deepEqual(hub.requests, [], "nothing is asked of what is cached");
      await Deno.remove(blob);
      await get(name, settings);
      await get(name, offline);
    }
  });
});

Deno.test("a link of the cache that leads out of it is not followed, for reading or writing", async () => {
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (_hub, settings) => {
    const listing = await listRepository(repository, settings);
    const outside = await Deno.makeTempDir();
    const base = join(settings.cacheFolder, "models--org--tiny");
    const snapshot = join(base, "snapshots", revision);
    await Deno.mkdir(join(base, "refs"), { recursive: true });
    await Deno.mkdir(snapshot, { recursive: true });
    await Deno.writeTextFile(join(base, "refs", "main"), revision);
    await Deno.writeTextFile(join(outside, "config.json"), "{}");
    await Deno.symlink(join(outside, "config.json"), join(snapshot, "config.json"));
    assert.ok(await cachedSnapshot(repository, settings));
    await assert.rejects(
      resolveModel("org/tiny", settings),
      /leads out of the cache, to .*Delete it/,
    );
    await Deno.symlink(outside, join(base, "blobs"));
    await assert.rejects(
      downloadFiles(repository, listing, [path], settings),
      /blobs is a link, where the cache has folders\. Remove it\./,
    );
    assert.deepEqual([...Deno.readDirSync(outside)].map(({ name }) => name), ["config.json"]);
    await Deno.remove(outside, { recursive: true });
  });
});
