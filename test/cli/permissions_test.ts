/** What the permission sets of deno.json let a program do that runs under them, and what they keep it from. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { writableCache } from "../../cli/caches.ts";
import { commands } from "../../cli/peft/commands.ts";
import project from "../../deno.json" with { type: "json" };
import { golden, withFolder } from "../files/temporary.ts";
import { withFakeHub } from "../models/fake_hub.ts";
import { runProgram, setOf } from "./command.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Tries everything, as code would that came with a package, and prints what it was let do. */
const probe = `
const can = async (name, work) => {
  try { await work(); return name; } catch (error) {
    return error.name === "NotCapable" ? undefined : name; // else the system refused, not Deno
  }
};
const [own, outside] = Deno.args;
const granted = (what) => {
  if (Deno.permissions.querySync(what).state !== "granted") throw new Deno.errors.NotCapable();
};
console.log((await Promise.all([
  can("read", () => Deno.readTextFile(own)),
  can("write", () => Deno.writeTextFile(outside, "x")),
  can("code", () => Deno.rename("cli/none.ts", "cli/planted.ts")),
  can("code", () => granted({ name: "write", path: "deno.lock" })),
  can("hub", () => granted({ name: "net", host: "huggingface.co" })),
  can("net", () => Deno.connect({ hostname: "127.0.0.1", port: 9 })),
  can("run", () => new Deno.Command("true").output()),
  can("ffi", () => Deno.dlopen("libc.so.6", {})),
  can("env", () => Deno.env.get("AWS_SECRET_ACCESS_KEY")),
  can("sys", () => Deno.networkInterfaces()),
])).filter(Boolean).join(" "));
`;

/** What a program may do under a set, as words. */
async function allowed(set: string, folder: string): Promise<string> {
  const file = join(folder, "probe.js");
  await Deno.writeTextFile(file, probe);
  const config = join(root, "deno.json");
  const { stdout, stderr } = await runProgram(
    Deno.execPath(),
    ["run", "-q", "--no-prompt", `--config=${config}`, set, file, file, join(folder, "new")],
    { env: { NO_COLOR: "1" } },
  );
  assert.equal(stderr, "");
  return stdout.trim();
}

/** By task. Flags of the tasks add the hub's hosts, and for `predict` the hub's cache to write. */
const expected: Record<
  Exclude<keyof typeof commands, "completions"> | "peft" | "sweep" | "sweep:task",
  string
> = {
  peft: "read write hub",
  train: "read write hub",
  sweep: "read write run",
  "sweep:task": "read write hub",
  evaluate: "read write hub",
  merge: "read write hub",
  pretrain: "read write hub",
  predict: "read",
  push: "read",
  inspect: "read",
  doctor: "read",
  report: "read write",
  gradcheck: "",
};

Deno.test("a program under a command's permissions can do what the command must, and no more", () =>
  withFolder(async (folder) => {
    const seen = new Map<string, string>();
    for (const [task, words] of Object.entries(expected)) {
      const set = setOf(task as keyof typeof expected);
      if (!seen.has(set)) seen.set(set, await allowed(set, folder));
      assert.equal(seen.get(set), words, task);
    }
  }));

Deno.test("predict fetches a base into the hub's cache, and writes nowhere else", async () => {
  const files: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (const name of ["config.json", "model.safetensors", "vocab.txt"]) {
    files[name] = await Deno.readFile(golden("model", name));
  }
  const revision = "0123456789abcdef0123456789abcdef01234567";
  await withFakeHub({ "models/org/tiny": { revision, files } }, async (_, settings) => {
    const { endpoint, cacheFolder } = settings;
    const args = [
      "--run",
      golden("adapter-houlsby", "adapterhub"),
      "--model_name",
      "org/tiny",
      "a",
    ];
    const predict = (cache: string) =>
      runProgram(Deno.execPath(), [
        ...["run", "-q", "--no-check", "--no-prompt", setOf("predict"), "--allow-net=127.0.0.1"],
        ...[`--allow-write=${cache}`, "cli/predict.ts", ...args],
      ], { env: { NO_COLOR: "1", HF_ENDPOINT: endpoint, HF_HUB_CACHE: cacheFolder } });
    const kept = await predict("/dev/null");
    assert.equal(kept.code, 1);
    assert.match(kept.stderr, /Error: [^\n]*Deno keeps programs out of it[^\n]*\n$/);
    const ended = await predict(cacheFolder);
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stdout, /^Text +Label +Probability/);
  });
});

Deno.test("no task and no set of the commands starts programs, loads libraries, or has all of a kind but reading", () => {
  const own = Object.keys(expected).map((task) => setOf(task as keyof typeof expected).slice(3));
  for (const name of new Set(own)) {
    const set: Record<string, unknown> =
      project.permissions[name as keyof typeof project.permissions];
    for (const kind of ["run", "ffi", "all", "import"]) {
      // A sweep's launcher starts Deno and sbatch, and does nothing else.
      assert.ok(!(kind in set) || `${name} ${kind}` === "sweep run", `${name} ${kind}`);
    }
    for (const kind of ["write", "net", "env", "sys"]) {
      assert.notEqual(set[kind], true, `${name} ${kind}`);
    }
  }
  for (const [task, { command }] of Object.entries(project.tasks)) {
    // Those who work on the project start a browser, and what documents show, by a shell.
    if (!/^(docs|test):/.test(task)) assert.doesNotMatch(command, /--allow-(run|ffi|all)|-A\b/);
  }
});

Deno.test("what is denied to those who may write is all that they run from", async () => {
  const { deny } = project.permissions.commands.write;
  assert.deepEqual(project.permissions.report.write.deny, deny);
  assert.deepEqual(project.permissions.sweep.write.deny, deny);
  const entries = await Array.fromAsync(Deno.readDir(root));
  const isOurs = ({ name }: Deno.DirEntry) => /^(denow|\.ci|\.git)$|^deno\./.test(name);
  const code = await Promise.all(entries.map(async (entry) => {
    if (!entry.isDirectory || /^(\.git|node_modules|results)$/.test(entry.name)) return false;
    const below = Deno.readDir(join(root, entry.name));
    return (await Array.fromAsync(below)).some(({ name }) => /\.(ts|wgsl)$/.test(name));
  }));
  const needed = entries.filter((entry, place) => isOurs(entry) || code[place]);
  assert.deepEqual(needed.map(({ name }) => name).filter((name) => !deny.includes(name)), []);
});

Deno.test("the front door gives up what its commands' own tasks do not permit", () => {
  const { predict: _, ...rest } = expected; // writes until its base is there
  for (
    const [name, { without = [] }] of Object.entries(
      commands as Record<string, { without?: readonly string[] }>,
    )
  ) {
    const words = rest[name as keyof typeof rest];
    if (words === undefined) continue;
    assert.equal(without.includes("write"), !words.includes("write"), name);
    if (without.includes("net")) assert.doesNotMatch(words, /hub/);
  }
});

Deno.test("predict's cache folder is one folder, whatever the environment says", () => {
  const at = (environment: Record<string, string>) => writableCache((name) => environment[name]);
  assert.equal(at({ HF_HUB_CACHE: "/a b/c" }), "/a b/c");
  assert.equal(
    at({ HOME: "/h", HF_TOKEN: "no token" }),
    join("/h", ".cache", "huggingface", "hub"),
  );
  for (const odd of ["/a,/", "/a\n/b", ",", "\0"]) {
    assert.equal(at({ HF_HUB_CACHE: odd }), "/dev/null");
  }
  assert.equal(at({ HF_HOME: "/x,/etc" }), "/dev/null");
});
