/** Tokens and passwords: whatever fails, neither a terminal nor a file gets them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { filesBelow } from "../../models/host/files.ts";
import { listRepository } from "../../models/host/hub.ts";
import { keepSecret, redact, withoutPassword } from "../../models/host/secrets.ts";
import { hubSettingsFromEnvironment } from "../../models/host/settings.ts";
import { folderTest, golden } from "../files/temporary.ts";
import { closedEndpoint, patience, withFakeHub } from "../models/fake_hub.ts";
import { type Ended, runProgram } from "./command.ts";

const token = "hf_thisIsTheToken42";
const password = "pass-Word%2142";
/** Every form in which they would be found. */
const secrets = [token, "hf_firstLine", "secondLine", password, "pass-Word!42", "ann:pass"];

const withLogin = (endpoint: string) => endpoint.replace("//", `//ann:${password}@`);

/** A command in a folder of its own, where all that it writes lies. */
function run(program: string, args: string[], folder: string, env: Record<string, string>) {
  const set = program.startsWith("test/") ? "test" : "commands";
  const deno = ["run", "-q", "--no-check", `-P=${set}`, "--allow-net=127.0.0.1", "--no-prompt"];
  return runProgram(Deno.execPath(), [...deno, program, ...args], {
    env: { NO_COLOR: "1", HF_HOME: join(folder, "home"), HF_TOKEN: token, ...env },
  });
}

async function assertNoSecret(folder: string, { stdout, stderr }: Ended, what: string) {
  const texts = new Map([["stdout", stdout], ["stderr", stderr]]);
  for (const path of await filesBelow(folder)) {
    texts.set(path, new TextDecoder().decode(await Deno.readFile(join(folder, path))));
  }
  for (const [path, text] of texts) {
    for (const secret of secrets) {
      assert.ok(!text.includes(secret), `${what}: ${secret} in ${path}:\n${text.slice(0, 2000)}`);
    }
    if (/safetensors$|tfevents/.test(path)) continue;
    for (const escape of ["\x1b", "\x9b"]) assert.ok(!text.includes(escape), `${what}: ${path}`);
  }
}

folderTest(
  "where there is no network, mini's notice and the run's files have no password",
  async (folder) => {
    const ended = await run(
      "test/cli/fake_train.ts",
      [
        "--method",
        "lora",
        "--rank",
        "4",
        "--output_dir",
        folder,
        "--experiment",
        "e",
        "--max_samples",
        "200",
      ],
      folder,
      { HF_ENDPOINT: withLogin(closedEndpoint()), FAKE_TOOLS: '{"real":true}' },
    );
    assert.equal(ended.code, 0, ended.stderr);
    assert.match(ended.stderr, /BUILT-IN MODEL "mini" INSTEAD OF/);
    const record = await Deno.readTextFile(join(folder, "e", "lora-r4", "run.json"));
    assert.match(record, /BUILT-IN SAMPLE INSTEAD OF .* Cannot get .* from http:\/\/127\.0\.0\.1:/);
    await assertNoSecret(folder, ended, "no network");
  },
);

folderTest(
  "a hub that repeats them in every way it can, in errors of train, inspect, predict and push",
  (folder) =>
    withFakeHub({}, async (hub) => {
      const escape = "\x1b]0;gone\x07\x9b2J";
      const echoed = `${token} ann:${password} pass-Word!42`;
      const answers: (() => Response)[] = [
        ...[403, 500].map((status) => () =>
          Response.json({ error: `${echoed}${escape}` }, {
            status,
            headers: { "retry-after": "0", "x-error-code": token, "x-request-id": password },
          })
        ),
        () => new Response(`${echoed}${escape}<html>`),
        () => Response.json({ sha: echoed }),
        () => new Response(null, { status: 302, headers: { location: `${token}://${password}/` } }),
        () =>
          new Response(null, { status: 302, headers: { location: `http://${token}.invalid/` } }),
        () => Response.json({ sha: "0".repeat(40) }),
      ];
      const push = join(folder, "run");
      await Deno.mkdir(push);
      for await (const { name } of Deno.readDir(golden("lora", "peft"))) {
        await Deno.copyFile(golden("lora", "peft", name), join(push, name));
      }
      await Deno.writeTextFile(
        join(push, "run.json"),
        JSON.stringify({
          run: "lora-r4",
          labels: ["a", "b", "c"],
          model: { name: "org/x" },
          command: [],
        }),
      );
      const work = join(folder, "work");
      const env = { HF_ENDPOINT: withLogin(hub.endpoint), FAKE_TOOLS: '{"real":true}' };
      const commands: [string, string[]][] = [
        ["test/cli/fake_train.ts", ["--output_dir", work]],
        ["cli/inspect.ts", ["org/x"]],
        ["cli/predict.ts", ["--run", push, "--model_name", "org/x", "a text"]],
        ["cli/push.ts", ["--run", push, "--repo", "me/x", "--base_model", "org/x"]],
      ];
      const all: Record<string, string> = { ...env, HF_TOKEN: token, HOME: "/h" };
      const settings = { ...hubSettingsFromEnvironment((name) => all[name]), patience };
      for (const [index, answer] of answers.entries()) {
        hub.instead = answer;
        const said = await listRepository({ type: "model", name: "org/x" }, settings)
          .then(() => "", (error) => String(error));
        assert.match(said, /^Hub(Error|Failing): /);
        for (const secret of secrets) assert.ok(!said.includes(secret), `${index}: ${said}`);
        if (index % 3 > 0) continue; // processes take their time
        const ended = await Promise.all(
          commands.map(([program, args]) => run(program, args, folder, env)),
        );
        for (const [at, each] of ended.entries()) {
          const what = `${commands[at][0]} and answer ${index}`;
          assert.equal(each.code, 1, `${what}: ${each.stderr}`);
          assert.match(each.stderr, /^Error: [^\n]+\n$/m, what);
          await assertNoSecret(work, each, what);
        }
      }
    }),
);

folderTest("what is no token or no address is told without it", async (folder) => {
  const cases: Record<string, string>[] = [
    { HF_TOKEN: "hf_firstLine\nsecondLine" },
    { HF_ENDPOINT: `http://ann:${password}/x@127.0.0.1:9` },
    { HF_ENDPOINT: `http://ann:pass-Word\n%2142@127.0.0.1:9` },
    { HF_ENDPOINT: `ann:${password}@127.0.0.1` },
  ];
  for (const env of cases) {
    const ended = await run("cli/inspect.ts", ["org/x"], folder, env);
    assert.equal(ended.code, 1);
    assert.match(ended.stderr, /^Error: (HF_TOKEN should start|HF_ENDPOINT is ")/);
    await assertNoSecret(folder, ended, JSON.stringify(env));
  }
});

Deno.test("a token loses the line break behind it; secrets go, whole and decoded", () => {
  const read = (name: string) => ({ HF_TOKEN: " hf_abcdef\r\n", HOME: "/h" })[name];
  assert.equal(hubSettingsFromEnvironment(read).token, "hf_abcdef");
  assert.equal(redact("Bearer hf_abcdef."), "Bearer ….");
  keepSecret("two words%41");
  assert.equal(redact("two words%41, two wordsA, words%41"), "…, …, …");
  keepSecret("joy");
  assert.equal(redact("joy"), "joy", "what is short is found in innocent words");
  assert.equal(withoutPassword("https://ann:x@y@host/z"), "https://host/z");
  assert.equal(withoutPassword("https://host/z"), "https://host/z");
});
