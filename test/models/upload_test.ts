/** Uploads to the hub: what arrives where, who sees the token, and what is said where it fails. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { UserError } from "../../models/errors.ts";
import { HubUnreachable } from "../../models/hub/errors.ts";
import { hubToken } from "../../models/host/token.ts";
import { type Upload, uploadModel } from "../../models/host/upload.ts";
import { folderTest, withFolder } from "../files/temporary.ts";
import { closedEndpoint } from "./fake_hub.ts";
import { type UploadHubOptions, withUploadHub } from "./fake_upload.ts";

const token = "hf_right";
const weights = Uint8Array.from({ length: 5000 }, (_, at) => (at * 7919) >> 3);
const sha = createHash("sha256").update(weights).digest("hex");

const settingsFor = (endpoint: string) => ({ endpoint, cacheFolder: "/nowhere", offline: false });

/** An upload of a text and of a large file. */
async function upload(folder: string, more: Partial<Upload> = {}): Promise<Upload> {
  const file = join(folder, "wei ghts #1");
  await Deno.writeFile(file, weights);
  return {
    repository: "me/emotions",
    branch: "main",
    private: false,
    message: "Add it",
    files: [
      { path: "README.md", content: { text: "# Ünï\n" } },
      { path: "model.safetensors", content: { file } },
    ],
    ...more,
  };
}

for (const transfer of ["basic", "xet"] as const) {
  folderTest(
    `by ${transfer}, all files arrive in one commit, and the token at the hub alone`,
    (folder) =>
      withUploadHub({ token, transfer }, async (hub) => {
        const heard: string[] = [];
        const done = await uploadModel(
          await upload(folder),
          settingsFor(hub.endpoint),
          token,
          (path, share) => heard.push(`${path} ${share}`),
        );
        const url = `${hub.endpoint}/me/emotions`;
        assert.deepEqual(done, { url, commit: "c".repeat(40), created: true });
        assert.deepEqual(hub.created, [{ name: "me/emotions", visibility: undefined }]);
        assert.deepEqual(hub.commits, [{
          repository: "me/emotions",
          branch: "main",
          summary: "Add it",
          files: { "README.md": "# Ünï\n", "model.safetensors": `sha256:${sha}` },
        }]);
        assert.ok(heard.includes("model.safetensors 1"), heard.join());
        if (transfer === "basic") assert.deepEqual(hub.stored.get(sha), weights);
        else assert.ok([...hub.stored.keys()].some((path) => path.startsWith("/v1/xorbs/")));
        assert.ok(hub.storageAuthorizations.every((seen) => !seen.includes(token)));
        assert.equal(hub.storageAuthorizations.length > 0, transfer === "xet");
      }),
  );
}

folderTest(
  "a repository, a branch and a private one are made where they are missing",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const settings = settingsFor(hub.endpoint);
      const asked = await upload(folder, { private: true, branch: "v2" });
      assert.equal((await uploadModel(asked, settings, token)).created, true);
      assert.deepEqual(hub.created, [{ name: "me/emotions", visibility: "private" }]);
      assert.deepEqual(hub.branches, ["v2"]);
      assert.equal((await uploadModel(asked, settings, token)).created, false);
      assert.deepEqual(hub.branches, ["v2"]);
      assert.deepEqual(hub.commits.map(({ branch }) => branch), ["v2", "v2"]);
    }),
);

/** What is said where an upload fails, with what else is asked of the hub. */
async function refused(
  options: Partial<UploadHubOptions>,
  message: RegExp,
  more: Partial<Upload> = {},
): Promise<UserError> {
  let thrown: unknown;
  await withFolder((folder) =>
    withUploadHub({ token, ...options }, async (hub) => {
      const asked = await upload(folder, more);
      thrown = await uploadModel(asked, settingsFor(hub.endpoint), token).catch((error) => error);
      assert.deepEqual(hub.commits, []);
      assert.ok(hub.storageAuthorizations.every((seen) => !seen.includes(token)));
    })
  );
  assert.ok(thrown instanceof UserError, String(thrown));
  assert.match(thrown.message, message);
  assert.ok(!thrown.message.includes(token));
  return thrown;
}

const failing = (line: string, status: number, error: string) => ({
  instead: (request: string) =>
    request.startsWith(line) ? Response.json({ error }, { status }) : undefined,
});

Deno.test("a refused upload is a sentence with the hub's own words, never the token", async () => {
  await refused(
    { token: "hf_other" },
    /does not accept the token \(answer 401: Invalid.*\/settings\/tokens/,
  );
  await refused(
    failing("POST /api/repos/create", 403, "You don't have the rights, hf_right!"),
    /no right to write to me\/emotions \(answer 403: You don't have the rights, hf_…\)/,
  );
  await refused(failing("POST /api/repos/create", 404, "no such"), /Check the spelling\./);
  await refused(
    failing("POST /api/models/me/emotions/commit", 400, '"license" must be one of …'),
    /refuses the upload \(answer 400: "license" must be one of …\)\. me\/emotions was made and is empty/,
  );
  await refused(
    failing("POST /api/models/me/emotions/branch", 403, "no branches"),
    /answer 403: no branches\).* me\/emotions was made and is empty/,
    { branch: "v2" },
  );
  for (const status of [429, 503]) {
    const error = await refused(
      failing("GET", status, "busy"),
      /Try again later\. Nothing was committed/,
    );
    assert.ok(error instanceof HubUnreachable);
  }
});

folderTest("a repository that the hub hides behind a 401 is made all the same", (folder) => {
  const instead = (request: string) =>
    request.endsWith("/revision/HEAD")
      ? Response.json({ error: "Repository not found" }, { status: 401 })
      : undefined;
  return withUploadHub({ token, instead }, async (hub) => {
    const done = await uploadModel(await upload(folder), settingsFor(hub.endpoint), token);
    assert.equal(done.created, true);
    assert.equal(hub.commits.length, 1);
  });
});

Deno.test("a public repository is not taken for a private one, nor one that holds another model", async () => {
  const holding = (...files: string[]) => ({
    repositories: { "me/emotions": { private: false, branches: { main: files } } },
  });
  await refused(holding("README.md"), /is there already, and public/, { private: true });
  await refused(
    holding("README.md", "adapter_config.json", "base/model.safetensors"),
    /holds adapter_config\.json, base\/model\.safetensors on its branch main/,
  );
  // A branch that is made begins as main is.
  await refused(holding("config.json"), /holds config\.json on its branch v2/, { branch: "v2" });
});

Deno.test("the token follows no redirect to another host, nor an address that a hub makes up", async () => {
  await refused({
    instead: (request, storage) =>
      request.startsWith("GET /api") ? Response.redirect(`${storage}/api`, 307) : undefined,
  }, /answer 403: Who\?\)/);
  // Xet's address for a new token of its storage is the hub's to name; the package would send it ours.
  await refused({
    instead: (request, storage) =>
      request.endsWith("/batch")
        ? Response.json({
          transfer: "xet",
          objects: [{
            oid: sha,
            size: weights.length,
            actions: { upload: { href: `${storage}/t` } },
          }],
        })
        : undefined,
  }, /asks for the token to be sent to 127\.0\.0\.1:\d+, which is another host: that is refused/);
});

folderTest(
  "no network and HF_HUB_OFFLINE are sentences; offline asks nothing",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const settings = settingsFor(hub.endpoint);
      const asked = await upload(folder);
      await assert.rejects(
        uploadModel(asked, { ...settings, offline: true }, token),
        /HF_HUB_OFFLINE/,
      );
      assert.deepEqual(hub.requests, []);
      const endpoint = closedEndpoint();
      await assert.rejects(uploadModel(asked, settingsFor(endpoint), token), (error) => {
        assert.ok(error instanceof HubUnreachable);
        assert.match(
          error.message,
          /^Cannot upload to http:\S+ \(.*refused.*\)\. Nothing was committed\.$/,
        );
        return true;
      });
      // As a proxy's address has them.
      const withPassword = settingsFor(endpoint.replace("://", "://me:secret@"));
      await assert.rejects(
        uploadModel(asked, withPassword, token),
        (error) => error instanceof UserError && !/secret/.test(error.message),
      );
      await assert.rejects(uploadModel(asked, settingsFor("hub"), token), /HF_ENDPOINT is "hub"/);
    }),
);

folderTest("the token is HF_TOKEN, else that of the file that a login writes", async (folder) => {
  const settings = settingsFor("https://hub.example");
  const read = (environment: Record<string, string>) => (name: string) => environment[name];
  assert.equal(await hubToken({ ...settings, token }, read({})), token);
  await assert.rejects(
    hubToken(settings, read({ HF_HOME: folder })),
    /neither is HF_TOKEN set, .*token, which hf auth login writes\. .*hub\.example\/settings\/tokens/,
  );
  await Deno.writeTextFile(join(folder, "token"), "hf_file\n");
  assert.equal(await hubToken(settings, read({ HF_HOME: folder })), "hf_file");
  await assert.rejects(hubToken(settings, read({ HOME: folder })), (error) => {
    assert.ok(String(error).includes(join(folder, ".cache", "huggingface", "token")));
    return true;
  });
  await assert.rejects(
    hubToken(settings, read({})),
    (error) => error instanceof UserError && !/file \.cache/.test(error.message),
    "never that of the folder where one stands",
  );
  const path = join(folder, "elsewhere");
  await Deno.writeTextFile(path, "secret");
  const asked = hubToken(settings, read({ HF_HOME: folder, HF_TOKEN_PATH: path }));
  await assert.rejects(
    asked,
    (error) => error instanceof UserError && !/secret/.test(error.message),
  );
});
