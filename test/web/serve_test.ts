/** The server of the page: it answers with the page's files, and with nothing else. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { buildSite } from "../../cli/web/build.ts";
import { answer, listen, readSite } from "../../cli/web/serve.ts";
import { copied, repositoryPath } from "../../cli/web/site.ts";
import project from "../../deno.json" with { type: "json" };
import { recorder } from "../cli/recorder.ts";
import { folderTest, namesIn } from "../files/temporary.ts";

const at = "http://localhost/";

folderTest(
  "the site is the code and what is copied beside it, here or elsewhere",
  async (folder) => {
    const [code, output] = [join(folder, "code"), join(folder, "output")];
    await Deno.mkdir(code);
    await Deno.writeTextFile(join(code, "main.js"), "1;");
    const there = await buildSite({ code, output });
    assert.equal(there.files, Object.keys(copied).length + 1);
    assert.deepEqual(await namesIn(code), ["main.js"]);
    const here = await buildSite({ code });
    assert.deepEqual(here, there);
    assert.deepEqual(await namesIn(code), await namesIn(output));
    assert.deepEqual(await buildSite({ code }), here, "a second time nothing is counted twice");
  },
);

folderTest("files are answered by their types, and nothing outside is", async (parent) => {
  const folder = join(parent, "site");
  await Deno.mkdir(join(folder, "mini"), { recursive: true });
  await Deno.writeTextFile(join(folder, "index.html"), "the page");
  await Deno.writeTextFile(join(folder, "mini", "config.json"), "{}");
  await Deno.writeTextFile(join(parent, "secret.txt"), "secret");
  const site = await readSite(folder);
  const page = answer(new Request(at), site);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(await page.text(), "the page");
  assert.equal(await answer(new Request(`${at}mini/config.json`), site).text(), "{}");
  const head = answer(new Request(at, { method: "HEAD" }), site);
  assert.deepEqual([head.status, await head.text()], [200, ""]);
  for (
    const path of ["none.js", "%2e%2e/secret.txt", "..%2fsecret.txt", "mini", "mini/", "a.exe"]
  ) {
    const { status } = answer(new Request(`${at}${path}`), site);
    assert.equal(status, 404, path);
  }
  assert.equal(answer(new Request(at, { method: "POST" }), site).status, 405);
});

folderTest(
  "a page that is served outlasts another build, which removes its files first",
  async (folder) => {
    await Deno.writeTextFile(join(folder, "index.html"), "the page");
    const server = listen(undefined, await readSite(folder), recorder(80));
    await Deno.remove(join(folder, "index.html"));
    const { port } = server.addr as Deno.NetAddr;
    const response = await fetch(`http://127.0.0.1:${port}/`);
    assert.deepEqual([response.status, await response.text()], [200, "the page"]);
    await server.shutdown();
  },
);

Deno.test("the page's policy lets it ask the hosts of the hub that the commands may ask", async () => {
  const page = await Deno.readTextFile(repositoryPath("web/index.html"));
  const [, hosts] = /connect-src 'self' ([^;]*);/.exec(page)!;
  const { net } = project.permissions.commands;
  assert.deepEqual(hosts.split(" "), net.map((host) => `https://${host}`));
});

Deno.test("a port that is taken is told with what to do", async () => {
  const output = recorder(80);
  const first = listen(undefined, new Map(), output);
  const { port } = first.addr as Deno.NetAddr;
  assert.match(output.text, new RegExp(`^PEFT in a tab: http://localhost:${port}/ `));
  assert.throws(
    () => listen(port, new Map(), output),
    { message: `Port ${port} is taken. Name another with --port, or none.` },
  );
  await first.shutdown();
});
