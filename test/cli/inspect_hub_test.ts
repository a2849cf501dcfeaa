/** `deno task inspect` of names on a hub, which answers on 127.0.0.1, or does not. */
import assert from "node:assert/strict";
import { hubRepositories } from "../../cli/inspect/hub.ts";
import { filesBelow } from "../../models/host/files.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { resolveConfig, resolveModel } from "../../models/host/resolve.ts";
import { golden, withFolder } from "../files/temporary.ts";
import { type FakeRepository, putFiles, withFakeHub, withoutHub } from "../models/fake_hub.ts";
import { type Ended, runProgram } from "./command.ts";

const revision = "0123456789abcdef0123456789abcdef01234567";

async function filesOf(folder: string): Promise<FakeRepository["files"]> {
  const names = await filesBelow(folder);
  return Object.fromEntries(
    await Promise.all(
      names.map(async (name) => [name, await Deno.readFile(`${folder}/${name}`)] as const),
    ),
  );
}

/** The command, with the permissions of its task, where the settings point. */
async function inspect(
  args: string[],
  { endpoint, cacheFolder, token }: HubSettings,
  env: Record<string, string> = {},
): Promise<Ended> {
  const run = ["run", "-q", "--no-check", "-P=inspect", "--allow-net=127.0.0.1", "--no-prompt"];
  return await runProgram(Deno.execPath(), [...run, "cli/inspect.ts", ...args], {
    env: {
      NO_COLOR: "1",
      COLUMNS: "200",
      HF_ENDPOINT: endpoint,
      HF_HUB_CACHE: cacheFolder,
      ...(token === undefined ? {} : { HF_TOKEN: token }),
      ...env,
    },
  });
}

Deno.test("a model on the hub is told by its headers, and nothing is stored", async () => {
  const files = await filesOf(golden("model"));
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    const { code, stdout, stderr } = await inspect(["org/tiny"], settings);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /^org\/tiny: base model\n\nHub +model org\/tiny, commit 0123456789ab\n/);
    assert.ok(stdout.includes(`Read from         ${settings.endpoint}\n`), stdout);
    assert.match(
      stdout,
      /^Repository files +config\.json \(887 B\), model\.safetensors \(90\.3 kB\)/m,
    );
    assert.match(stdout, /^Labels +sadness, joy/m);
    assert.match(stdout, /^Tensors +41, F32$/m);
    assert.match(stdout, /\nUse it: deno task train --model_name org\/tiny\n$/);
    assert.ok(hub.bytesSent < 30_000, `${hub.bytesSent} of 90,348 bytes of weights`);
    assert.deepEqual(await filesBelow(settings.cacheFolder), []);
    assert.equal((await inspect(["org/tiny", "--json"], settings)).code, 0);
    const page = `${settings.endpoint}/org/tiny/tree/main`;
    assert.equal((await inspect([page], settings)).stdout, stdout);
    hub.ignoresRanges = true;
    assert.equal((await inspect(["org/tiny"], settings)).stdout, stdout, "small files come whole");
  });
});

Deno.test("what the cache holds whole is told without asking, and in part where nobody answers", async () => {
  const files = await filesOf(golden("model"));
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    await resolveConfig("org/tiny", settings);
    const part = await inspect(["org/tiny"], settings);
    assert.match(part.stdout, /^Tensors +41, F32$/m);
    assert.ok(
      part.stdout.includes(`Read from         ${settings.endpoint}\n`),
      "not all is cached",
    );
    hub.failWith = 503;
    const offline = await inspect(["org/tiny"], settings);
    assert.match(
      offline.stdout,
      /^Note +This is what the cache holds, and perhaps not all: .*503/m,
    );
    assert.match(offline.stdout, /^Repository files +config\.json$/m);
    assert.doesNotMatch(offline.stdout, /^Tensors/m);
    hub.failWith = undefined;
    await resolveModel("org/tiny", settings);
    const asked = hub.requests.length;
    const whole = await inspect(["org/tiny"], settings);
    assert.equal(whole.code, 0);
    assert.equal(hub.requests.length, asked, "nothing is asked");
    assert.ok(whole.stdout.includes(`Read from         ${settings.cacheFolder}`), whole.stdout);
    assert.match(whole.stdout, /^Tensors +41, F32$/m);
    assert.match(whole.stdout, /\nUse it: deno task train --model_name org\/tiny\n$/);
  });
});

Deno.test("adapters on the hub say how to get them, a private one takes the token", async () => {
  const files = await filesOf(golden("lora", "peft"));
  const token = "hf_secret";
  await withFakeHub({ "models/me/lora": { revision, files, token } }, async (_hub, settings) => {
    const { code, stdout } = await inspect(["me/lora"], { ...settings, token });
    assert.equal(code, 0);
    assert.match(stdout, /^me\/lora: adapter of PEFT\n/);
    assert.match(stdout, /PeftModel\.from_pretrained\(model, "me\/lora"\)/);
    assert.match(
      stdout,
      /\nUse it: hf download me\/lora --local-dir lora && deno task predict --run lora "TEXT"\n$/,
    );
    const stranger = await inspect(["me/lora"], settings);
    assert.equal(stranger.code, 1);
    assert.match(stranger.stderr, /^Error: The model me\/lora .*private or gated.*set HF_TOKEN\./);
  });
});

Deno.test("data sets on the hub: of Parquet the end is read, of other tables small ones whole", async () => {
  const parquet = await Deno.readFile("test/data/fixtures/strings.parquet");
  const repositories = {
    "datasets/org/rows": { revision, files: { "README.md": "", "data/train.parquet": parquet } },
    "datasets/org/two": { revision, files: { "a/x.csv": "text,label\nhi,1\n", "b/y.csv": "" } },
    "datasets/org/large": { revision, files: { "x.csv": `text,label\n${"hi,1\n".repeat(1.1e6)}` } },
    "datasets/org/images": { revision, files: { "a.png": "png" } },
  };
  await withFakeHub(repositories, async (hub, settings) => {
    for (const name of ["org/rows", "datasets/org/rows"]) {
      const { code, stdout } = await inspect([name], settings);
      assert.equal(code, 0, stdout);
      assert.match(stdout, /^org\/rows: data set\n\nHub +data set org\/rows, commit 0123/);
      assert.match(stdout, /^Files +data\/train\.parquet$/m);
      assert.match(stdout, /^Columns +\w+, \w+/m);
      assert.match(stdout, /\nUse it: deno task train --dataset org\/rows\n$/);
    }
    assert.match(
      (await inspect(["org/two"], settings)).stdout,
      /\nUse it: deno task train --dataset org\/two\/a\/x\.csv\n$/,
    );
    hub.bytesSent = 0;
    const large = await inspect(["org/large"], settings);
    assert.match(large.stdout, /^Note +Above 5\.0 MB a text is not read to count its rows\.$/m);
    assert.match(large.stdout, /\nUse it: deno task train --dataset org\/large\n$/);
    assert.ok(hub.bytesSent < 10_000, `${hub.bytesSent}`);
    const images = await inspect(["org/images"], settings);
    assert.match(images.stdout, /^Repository files +a\.png \(3 B\)$/m);
    assert.match(images.stdout, /nothing that is known here/);
  });
});

Deno.test("names with escape sequences command no terminal, in lines and as JSON", async () => {
  const files = { "a\x1b]0;gone\x07\x9b2J\u202e.txt": "", "x.csv": "te\x9bxt,label\nhi,1\n" };
  await withFakeHub({ "datasets/org/rows": { revision, files } }, async (_hub, settings) => {
    for (const args of [["org/rows"], ["org/rows", "--json"]]) {
      const { code, stdout, stderr } = await inspect(args, settings);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /a\\u001b\]0;gone\\u0007\\u009b2J\\u202e\.txt/);
      for (const obeyed of ["\x1b", "\x07", "\x9b", "\u202e"]) assert.ok(!stdout.includes(obeyed));
    }
  });
});

Deno.test("parts that are not those that were asked for are refused", async () => {
  const files = await filesOf(golden("model"));
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (hub, settings) => {
    hub.cutOff = 1;
    const { code, stderr } = await inspect(["org/tiny"], settings);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^Error: .*cannot be trusted when asked for org\/tiny: \d+ bytes of .* instead of \d+\./,
    );
  });
});

Deno.test("a name that the hub does not have, or a hub out of reach, is one sentence", async () => {
  await withFakeHub({}, async (_hub, settings) => {
    const { code, stdout, stderr } = await inspect(["org/none"], settings);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(
      stderr,
      /^Error: The model org\/none does not exist on .* There is no data set, file or folder org\/none either\.\n$/,
    );
  });
  await withoutHub(async (settings) => {
    const away = await inspect(["org/none"], settings);
    assert.equal(away.code, 1);
    assert.match(away.stderr, /^Error: Cannot get org\/none from http:[^\n]*\n$/);
    const offline = await inspect(["org/none"], settings, { HF_HUB_OFFLINE: "1" });
    assert.match(
      offline.stderr,
      /^Error: HF_HUB_OFFLINE is set, and org\/none is not in the cache/,
    );
  });
});

Deno.test("a cache that another program filled is told as it is", () =>
  withFolder(async (cacheFolder) => {
    const model = `models--google-bert--bert-base-uncased`;
    await putFiles(`${cacheFolder}/${model}`, { "refs/main": revision });
    for (const [name, content] of Object.entries(await filesOf(golden("model")))) {
      await putFiles(`${cacheFolder}/${model}/snapshots/${revision}`, { [name]: content });
    }
    const settings = { endpoint: "http://127.0.0.1:9", cacheFolder, offline: true };
    const { code, stdout } = await inspect(["bert-base-uncased"], settings, {
      HF_HUB_OFFLINE: "1",
    });
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^bert-base-uncased: base model\n\nHub +model google-bert\/bert-base-uncased, /,
    );
    assert.match(stdout, /\nUse it: deno task train --model_name bert-base-uncased\n$/);
  }));

Deno.test("which names may be on the hub", () => {
  const repositories = (name: string) =>
    hubRepositories(name, "https://mirror").map(({ type, name }) => `${type} ${name}`);
  assert.deepEqual(repositories("org/x"), ["model org/x", "dataset org/x"]);
  assert.deepEqual(repositories("datasets/org/x"), ["dataset org/x"]);
  assert.deepEqual(repositories("https://huggingface.co/org/x/blob/main/README.md"), [
    "model org/x",
    "dataset org/x",
  ]);
  assert.deepEqual(repositories("https://mirror/datasets/org/x"), ["dataset org/x"]);
  assert.deepEqual(repositories("bert-base-uncased")[0], "model google-bert/bert-base-uncased");
  for (const path of ["./org/x", "../x", "/org/x", "a/b/c", "data/x.csv", "x", "a/b.safetensors"]) {
    assert.deepEqual(repositories(path), [], path);
  }
});
