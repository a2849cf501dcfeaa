import assert from "node:assert/strict";
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { filesBelow } from "../../models/host/files.ts";
import { HubFailing, HubUnreachable } from "../../models/hub/errors.ts";
import { cachedListing, cachedSnapshot, keepSnapshot } from "../../models/host/cache.ts";
import { downloadFiles, listRepository } from "../../models/host/hub.ts";
import type { Repository } from "../../models/hub/repository.ts";
import { cacheHome, hubSettingsFromEnvironment } from "../../models/host/settings.ts";
import { withFakeHub, withoutHub } from "./fake_hub.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";
const repository: Repository = { type: "model", name: "org/tiny" };
const files = { "config.json": "{}", "data/model.bin": new Uint8Array(3000).fill(7) };

Deno.test("the environment sets endpoint, token, cache folder and offline as in Python", () => {
  const settings = (environment: Record<string, string>) =>
    hubSettingsFromEnvironment((name) => environment[name]);
  assert.deepEqual(settings({ HOME: "/home/ann" }), {
    endpoint: "https://huggingface.co",
    token: undefined,
    cacheFolder: join("/home/ann", ".cache", "huggingface", "hub"),
    offline: false,
  });
  const mirror = settings({
    HF_ENDPOINT: "https://mirror.example/",
    HF_TOKEN: "hf_abc",
    HF_HOME: "/hf",
    HF_HUB_OFFLINE: "1",
  });
  assert.equal(mirror.endpoint, "https://mirror.example");
  assert.equal(mirror.token, "hf_abc");
  assert.equal(mirror.cacheFolder, join("/hf", "hub"));
  assert.equal(mirror.offline, true);
  assert.equal(settings({ HF_HUB_CACHE: "/cache", HF_HOME: "/hf" }).cacheFolder, "/cache");
  assert.equal(
    settings({ XDG_CACHE_HOME: "/x", HOME: "/h" }).cacheFolder,
    join("/x", "huggingface", "hub"),
  );
  assert.equal(settings({ HF_HUB_OFFLINE: "0" }).offline, false);
  for (const token of ["secret", "hf_\u00e4"]) {
    assert.throws(() => settings({ HF_TOKEN: token }), UserError);
  }
});

Deno.test("caches lie in a home, the system's list of users included, and never where one stands", () => {
  const home = (environment: Record<string, string>, listed: () => string | null) =>
    cacheHome((name) => environment[name], listed);
  const denied = () => {
    throw new Deno.errors.NotCapable("sys");
  };
  assert.equal(home({ HOME: "/h" }, () => "/listed"), join("/h", ".cache"));
  assert.equal(home({ HOME: "/h", XDG_CACHE_HOME: "/x" }, () => "/listed"), "/x");
  assert.equal(home({ HOME: "" }, () => "/listed"), join("/listed", ".cache"));
  for (const unlisted of [() => null, () => "", denied]) {
    assert.equal(home({}, unlisted), join("/tmp", ".cache"));
  }
});

Deno.test("a cache folder that cannot be one is told by its name", async () => {
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (_, settings) => {
    const file = join(settings.cacheFolder, "file");
    await Deno.writeTextFile(file, "");
    const broken = { ...settings, cacheFolder: file };
    const said = (error: unknown) =>
      error instanceof UserError && error.message.includes(`the cache folder ${file}: `) &&
      /a part of the path is a file.* HF_HUB_CACHE names another folder\.$/.test(error.message);
    await assert.rejects(cachedSnapshot(repository, broken), said);
    await assert.rejects(cachedListing(repository, { folder: "", revision }, broken), said);
    await assert.rejects(keepSnapshot(repository, { revision, files: [] }, broken), said);
  });
});

Deno.test("a host that may not be reached is named, and an endpoint that is no address", async () => {
  const elsewhere = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => Response.redirect("http://cdn.invalid:81/file"),
  );
  const settings = { cacheFolder: "/nowhere", offline: false };
  const endpoint = `http://127.0.0.1:${elsewhere.addr.port}`;
  try {
    await assert.rejects(
      listRepository(repository, { ...settings, endpoint }),
      (error: unknown) =>
        error instanceof UserError && !(error instanceof HubUnreachable) &&
        /leads to cdn\.invalid:81, which this program may not reach/.test(error.message) &&
        !/--allow-net/.test(error.message),
    );
  } finally {
    await elsewhere.shutdown();
  }
  for (const endpoint of ["nonsense", "http://[", "ftp://x"]) {
    await assert.rejects(
      listRepository(repository, { ...settings, endpoint }),
      (error: unknown) =>
        error instanceof UserError && !(error instanceof HubUnreachable) &&
        error.message.startsWith(`HF_ENDPOINT is "${endpoint}"`),
    );
  }
});

Deno.test("a download fills the standard cache, and a second run asks nothing", async () => {
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    assert.equal(await cachedSnapshot(repository, settings), undefined);
    const said: string[] = [];
    const debug = console.debug;
    const noise: unknown[] = [];
    console.debug = (...words) => noise.push(words);
    try {
      const listing = await listRepository(repository, settings);
      assert.equal(listing.revision, revision);
      const paths = listing.files.map((file) => file.path);
      const settingsThatTalk = { ...settings, report: (text: string) => void said.push(text) };
      const snapshot = await downloadFiles(repository, listing, paths, settingsThatTalk);
      assert.equal(await cachedSnapshot(repository, settings), undefined);
      await keepSnapshot(repository, listing, settings);
      assert.deepEqual(await filesBelow(snapshot.folder), ["config.json", "data/model.bin"]);
      assert.deepEqual(
        await Deno.readFile(join(snapshot.folder, "data/model.bin")),
        files["data/model.bin"],
      );
    } finally {
      console.debug = debug;
    }
    assert.deepEqual(noise, []);
    assert.equal(said.length, 2);
    assert.match(said[1], /data\/model\.bin \(3\.0 kB\) of org\/tiny/);
    const folder = join(settings.cacheFolder, "models--org--tiny");
    assert.equal(await Deno.readTextFile(join(folder, "refs", "main")), revision);

    const before = hub.requests.length;
    const cached = await cachedSnapshot(repository, { ...settings, offline: true });
    assert.equal(cached?.folder, join(folder, "snapshots", revision));
    assert.equal(hub.requests.length, before);
  });
});

Deno.test("what does not exist and what needs a token are told apart from no network", async () => {
  const token = "hf_right";
  await withFakeHub({ "models/org/tiny": { revision, files, token } }, async (_hub, settings) => {
    const refused = (repository: Repository, token: string | undefined, message: RegExp) =>
      assert.rejects(listRepository(repository, { ...settings, token }), (error: unknown) => {
        assert(error instanceof UserError);
        assert(!(error instanceof HubUnreachable));
        assert.match(error.message, message);
        return true;
      });
    const nowhere: Repository = { type: "model", name: "org/none" };
    await refused(nowhere, undefined, /org\/none does not exist .* \(answer 401\).*HF_TOKEN/);
    await refused(nowhere, "hf_any", /org\/none does not exist .*spelling/);
    await refused(repository, undefined, /private or gated \(answer 403\).*set HF_TOKEN/);
    await refused(repository, "hf_wrong", /HF_TOKEN gives no access .* \(answer 403\)/);
    assert.equal((await listRepository(repository, { ...settings, token })).files.length, 2);
  });
});

Deno.test("a password in the endpoint is not shown", async () => {
  const endpoint = "http://ann:secret@127.0.0.1:1";
  await assert.rejects(
    listRepository(repository, { endpoint, cacheFolder: "/nowhere", offline: false }),
    (error: unknown) =>
      error instanceof HubUnreachable && error.message.includes("http://127.0.0.1:1") &&
      !error.message.includes("secret"),
  );
});

Deno.test("refused connections and HF_HUB_OFFLINE are no network; a broken server is another matter", async () => {
  await withoutHub(async (settings) => {
    await assert.rejects(listRepository(repository, settings), HubUnreachable);
    await assert.rejects(
      listRepository(repository, { ...settings, offline: true }),
      (error: unknown) => error instanceof HubUnreachable && /HF_HUB_OFFLINE/.test(error.message),
    );
  });
  await withFakeHub({}, async (hub, settings) => {
    hub.failWith = 503;
    await assert.rejects(
      listRepository(repository, settings),
      (error: unknown) => error instanceof HubFailing && /answered 503/.test(error.message),
    );
    assert.equal(hub.requests.length, 4);
    hub.instead = () => new Response("null");
    await assert.rejects(
      listRepository(repository, settings),
      (error: unknown) =>
        error instanceof HubFailing &&
        /does not answer as a hub does when asked for [\w/-]+\.$/.test(error.message),
    );
  });
});

Deno.test("a file that arrives short is not kept, nor one that was cut off before", async () => {
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    const listing = await listRepository(repository, settings);
    hub.cutOff = 1;
    await assert.rejects(
      downloadFiles(repository, listing, ["data/model.bin"], settings),
      /arrived with 2999 of 3000 bytes/,
    );
    hub.cutOff = 0;
    for (let time = 0; time < 2; time++) {
      const { folder } = await downloadFiles(repository, listing, ["data/model.bin"], settings);
      const path = join(folder, "data/model.bin");
      assert.equal((await Deno.stat(path)).size, 3000);
      await Deno.remove(path);
      await Deno.writeTextFile(path, "cut");
    }
  });
});
