/** `deno task push`: what a user sees before, after, and where it cannot be. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderTest, golden, namesIn, withFolder } from "../files/temporary.ts";
import { withUploadHub } from "../models/fake_upload.ts";
import { labels } from "../peft/folders.ts";
import { runProgram, setOf } from "./command.ts";

const token = "hf_right";

/** `deno task push`, with no token of this machine, and of the network only this machine. */
function runPush(args: string[], env: Record<string, string> = {}, host = "127.0.0.1") {
  const run = ["run", "-q", "--no-check", setOf("push"), "--no-prompt", `--allow-net=${host}`];
  return runProgram(Deno.execPath(), [...run, "cli/push.ts", ...args], {
    env: { NO_COLOR: "1", COLUMNS: "60", HF_HOME: "/nowhere", HF_TOKEN: "", ...env },
  });
}

/** A golden run in a folder, with a run.json and files that are nobody's business. */
async function copyRun(run: string, folder: string, more: Record<string, unknown> = {}) {
  await Deno.mkdir(folder, { recursive: true });
  for (const name of await namesIn(golden(run, "peft"))) {
    await Deno.copyFile(golden(run, "peft", name), join(folder, name));
  }
  const model = { name: golden("model"), folder: golden("model"), built_in: false };
  const command = ["--model_name", golden("model"), "--rank", "4"];
  const record = { run: "lora-r4", labels, model, command, ...more };
  await Deno.writeTextFile(join(folder, "run.json"), JSON.stringify(record));
  await Deno.writeTextFile(join(folder, ".env"), "SECRET=1");
  await Deno.writeTextFile(join(folder, "evaluation.json"), "{}");
}

const sent = [
  "README.md",
  "adapter_config.json",
  "adapter_model.safetensors",
  "run.json",
];
const base = ["config.json", "model.safetensors", "tokenizer.json"].map((name) => `base/${name}`);

folderTest(
  "a dry run lists the files, asks nothing and needs no token",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const run = join(folder, "run");
      await copyRun("lora", run);
      const where = { HF_ENDPOINT: hub.endpoint };
      const args = ["--run", run, "--repo", "me/emo", "--base_model", "org/bert", "--dry_run"];
      const shown = await runPush([...args, "--private"], where);
      assert.equal(shown.code, 0, shown.stderr);
      assert.ok(shown.stdout.startsWith(`${run} to ${hub.endpoint}/me/emo (private, branch main)`));
      assert.match(shown.stdout, /\nrun\.json +\d+ B +without paths\n/);
      assert.match(shown.stdout, /\nNot sent: .*evaluation\.json\n/);
      const told = await runPush([...args, "--json"], where);
      const document = JSON.parse(told.stdout);
      assert.deepEqual(document.files.map(({ path }: { path: string }) => path), sent);
      assert.match(document.card, /\nbase_model: org\/bert\n/);
      const card = await runPush([...args, "--show_card"], where);
      assert.equal(card.stdout, document.card);
      assert.deepEqual(hub.requests, []);
    }),
);

folderTest(
  "a LoRA run arrives whole, with its base, without paths and without the token",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const run = join(folder, "my run");
      await copyRun("lora", run);
      await Deno.writeTextFile(join(run, "predictions.jsonl"), `{"text":"a secret"}\n`);
      const config = join(run, "adapter_config.json");
      const fields = JSON.parse(await Deno.readTextFile(config));
      fields.base_model_name_or_path = golden("model");
      await Deno.writeTextFile(config, JSON.stringify(fields));
      const args = ["--run", run, "--repo", "me/emo", "--with_base", golden("model"), "--json"];
      const home = join(folder, "home");
      await Deno.mkdir(home);
      await Deno.writeTextFile(join(home, "token"), token); // as hf auth login leaves it
      const { code, stdout, stderr } = await runPush(args, {
        HF_ENDPOINT: hub.endpoint,
        HF_HOME: home,
      });
      assert.equal(code, 0, stderr);
      assert.match(stderr, /^Uploading \d+ files \([\d.]+ kB\) to http\S+\/me\/emo\n$/);
      const report = JSON.parse(stdout);
      assert.equal(report.created, true);
      assert.equal(report.commit, "c".repeat(40));
      const [{ files, summary }] = hub.commits;
      assert.equal(summary, "Add lora-r4");
      assert.deepEqual(
        Object.keys(files).toSorted(),
        report.files.map(({ path }: { path: string }) => path).toSorted(),
      );
      for (const path of [...sent, ...base]) assert.ok(path in files, path);
      for (const [path, name] of [["", run], ["base/", golden("model")]]) {
        const weights = path === "" ? "adapter_model.safetensors" : "model.safetensors";
        const stored = hub.stored.get(files[`${path}${weights}`].replace("sha256:", ""));
        assert.deepEqual(stored, await Deno.readFile(join(name, weights)));
      }
      assert.equal(JSON.parse(files["adapter_config.json"]).base_model_name_or_path, "base");
      assert.deepEqual(JSON.parse(files["run.json"]).command, [
        "--model_name",
        "model",
        "--rank",
        "4",
      ]);
      const everything = `${Object.values(files).join("\n")}${stdout}${stderr}`;
      assert.ok(!everything.includes(token));
      assert.ok(!("predictions.jsonl" in files) && !everything.includes("a secret"));
      assert.ok(!Object.values(files).some((text) => text.includes(golden("model"))));
      assert.ok(!Object.values(files).some((text) => text.includes(folder)));
    }),
);

folderTest(
  "a card of one's own is sent as it is",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const [run, card] = [join(folder, "run"), join(folder, "card.md")];
      await copyRun("lora", run);
      await Deno.writeTextFile(card, "# Mine\n");
      const { code, stdout, stderr } = await runPush([
        ...["--run", run, "--repo", "me/emo", "--base_model", "org/bert"],
        ...["--card", card, "--message", "My words"],
      ], { HF_ENDPOINT: hub.endpoint, HF_TOKEN: token });
      assert.equal(code, 0, stderr);
      assert.equal(
        stdout,
        `${hub.endpoint}/me/emo is made and holds the run: commit ${"c".repeat(40)}\n`,
      );
      assert.equal(hub.commits[0].summary, "My words");
      assert.equal(hub.commits[0].files["README.md"], "# Mine\n");
      const { base_model_name_or_path: named } = JSON.parse(
        hub.commits[0].files["adapter_config.json"],
      );
      assert.equal(named, "org/bert");
    }),
);

Deno.test("a head of AdapterHub's own goes along, with its labels", async () => {
  const run = fileURLToPath(import.meta.resolve("../interop/fixtures/auto-head/saved"));
  const args = [
    "--run",
    run,
    "--repo",
    "me/emo",
    "--base_model",
    "org/bert",
    "--dry_run",
    "--json",
  ];
  const { code, stdout, stderr } = await runPush(args);
  assert.equal(code, 0, stderr);
  const { card } = JSON.parse(stdout);
  assert.match(card, /labels = \["sadness", "joy", "love", "anger", "fear"\]\n/);
  assert.match(card, /AutoAdapterModel\.from_pretrained\("org\/bert"\)/);
});

Deno.test("a stranger's files name nothing that is sent: no model, and no link out of the run", () =>
  withFolder(async (folder) => {
    // A private model lies where the stranger's run.json says that its base is.
    const secret = join(folder, "base");
    await Deno.mkdir(secret);
    for (const name of await namesIn(golden("model"))) {
      await Deno.copyFile(golden("model", name), join(secret, name));
    }
    const push = (run: string, ...more: string[]) =>
      runPush(["--run", run, "--repo", "me/emo", "--dry_run", "--json", ...more]);
    const claims = [
      { name: "mini", folder: "/x", built_in: true },
      { name: "mini", folder: "/x", random_start: true },
      { name: "./base", folder: secret },
      { name: secret, folder: "/etc" },
      { name: "../../etc/passwd" },
    ];
    for (const [place, model] of claims.entries()) {
      const run = join(folder, `run-${place}`);
      await copyRun("lora", run, { model });
      const { code, stdout, stderr } = await push(run);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, /--with_base \S+/);
    }
    const named = await push(join(folder, "run-0"), "--with_base", secret);
    assert.match(named.stdout, /"path": "base\/model\.safetensors"/);

    const outside = join(folder, "id_rsa");
    await Deno.writeTextFile(outside, "a secret");
    const plain = join(folder, "plain");
    await copyRun("lora", plain);
    await Deno.symlink(join(plain, "notes"), join(plain, "steps.jsonl"));
    await Deno.writeTextFile(join(plain, "notes"), "");
    const hub = ["--base_model", "org/bert"];
    assert.match((await push(plain, ...hub)).stdout, /"path": "steps\.jsonl"/); // a link within is its file
    await Deno.remove(join(plain, "steps.jsonl"));
    await Deno.symlink(outside, join(plain, "steps.jsonl"));
    const linked = await push(plain, ...hub);
    assert.deepEqual([linked.code, linked.stdout], [1, ""]);
    assert.match(
      linked.stderr,
      /steps\.jsonl is a link to .*id_rsa, outside of its folder, and is not sent/,
    );
    await Deno.remove(join(secret, "config.json"));
    await Deno.symlink(golden("model", "config.json"), join(secret, "config.json"));
    const base = await push(join(folder, "run-0"), "--with_base", secret);
    assert.match(base.stderr, /base\/config\.json is a link to .*, outside of its folder/);
  }));

Deno.test("the hub's cache, whose files are links to its blobs, can be sent along", () =>
  withFolder(async (folder) => {
    const run = join(folder, "run");
    await copyRun("lora", run);
    const snapshot = join(folder, "models--o--m", "snapshots", "c".repeat(40));
    const blobs = join(folder, "models--o--m", "blobs");
    for (const path of [snapshot, blobs]) await Deno.mkdir(path, { recursive: true });
    for (const name of await namesIn(golden("model"))) {
      await Deno.copyFile(golden("model", name), join(blobs, name));
      await Deno.symlink(join("..", "..", "blobs", name), join(snapshot, name));
    }
    const args = ["--run", run, "--repo", "me/emo", "--dry_run", "--with_base", snapshot];
    const { code, stderr } = await runPush(args);
    assert.equal(code, 0, stderr);
  }));

Deno.test("wrong use ends with 2; what others could not load, and no token, are sentences", () =>
  withFolder(async (folder) => {
    const run = join(folder, "run");
    await copyRun("lora", run);
    const builtIn = join(folder, "built-in");
    await copyRun("lora", builtIn, { model: { name: "mini", folder: "/x", built_in: true } });
    const cut = join(folder, "cut");
    await copyRun("lora", cut);
    await Deno.truncate(join(cut, "adapter_model.safetensors"), 100);
    const to = (path: string, ...more: string[]) => ["--run", path, "--repo", "me/emo", ...more];
    const cases: [string[], number, RegExp][] = [
      [["--run", run], 2, /--repo USER\/NAME\. See deno task push --help\.\n$/],
      [["--run", run, "--repo", "emo"], 2, /"emo" is no repository of the hub/],
      [to(run, "--license", "MIT License"), 2, /no license's name/],
      [
        to(run),
        2,
        /over .*model, which is no name on the hub: .*--base_model.*--with_base \S+model\.\n$/,
      ],
      [to(builtIn), 1, /over mini as it lay in .*base alone: it is not there/],
      [to("/nowhere"), 1, /There is no folder \/nowhere/],
      [to(cut, "--with_base", golden("model")), 1, /adapter_model\.safetensors/],
      [to(run, "--with_base", golden("model")), 1, /There is no token: .*HF_TOKEN.*hf auth login/],
      [
        to(run, "--with_base", folder),
        2,
        /--with_base .*: there is no folder with a model's files/,
      ],
      [to(golden("ia3", "peft")), 2, /golden-bert, which is no name on the hub/],
    ];
    const ended = await Promise.all(cases.map(([args]) => runPush(args)));
    for (const [index, { code, stdout, stderr }] of ended.entries()) {
      assert.match(stderr, cases[index][2]);
      assert.doesNotMatch(stderr, /\n +at /);
      assert.equal(code, cases[index][1], stderr);
      assert.equal(stdout, "");
    }
  }));

folderTest(
  "a host that is not permitted is named, with what to do",
  (folder) =>
    withUploadHub({ token }, async (hub) => {
      const run = join(folder, "run");
      await copyRun("lora", run);
      const args = ["--run", run, "--repo", "me/emo", "--base_model", "org/bert"];
      const env = { HF_ENDPOINT: hub.endpoint, HF_TOKEN: token };
      const { code, stderr } = await runPush(args, env, new URL(hub.endpoint).host);
      assert.equal(code, 1);
      assert.ok(stderr.includes(`wants files sent to ${new URL(hub.storage).host}, which`), stderr);
      assert.match(
        stderr,
        /me\/emo was made and is empty; .*deno run -P=push --allow-net cli\/push\.ts/,
      );
      assert.deepEqual(hub.commits, []);
      const offline = await runPush(args, { ...env, HF_HUB_OFFLINE: "1" });
      assert.equal(
        offline.stderr,
        "Error: HF_HUB_OFFLINE is set, and an upload needs the network.\n",
      );
    }),
);
