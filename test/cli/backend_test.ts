import assert from "node:assert/strict";
import { grants } from "../../cli/grants.ts";
import { packageFolder } from "../../cli/shared/packages.ts";
import { useBackend } from "../../cli/shared/backend.ts";
import { dawnVersion } from "../../cli/shared/dawn.ts";
import project from "../../deno.json" with { type: "json" };

Deno.test("native code may come from the folder of Deno's packages, or from nowhere", () => {
  const folder = (variables: Record<string, string>, os: typeof Deno.build.os = "linux") =>
    packageFolder((name) => variables[name], os);
  assert.equal(folder({ HOME: "/home/a" }), "/home/a/.cache/deno/npm");
  assert.equal(folder({ HOME: "/home/a", XDG_CACHE_HOME: "/c" }), "/c/deno/npm");
  assert.equal(folder({ HOME: "/home/a", DENO_DIR: "/d" }), "/d/npm");
  assert.equal(folder({ HOME: "/Users/a" }, "darwin"), "/Users/a/Library/Caches/deno/npm");
  assert.equal(folder({}), undefined);
  // Each would become another permission.
  for (const path of ["/a b", "/a,/", "/a\n--allow-all", "/$HOME", '/a"b']) {
    assert.equal(folder({ DENO_DIR: path }), undefined, path);
  }
});

Deno.test("permissions are flags of deno run, those that are named", () => {
  const read = (name: string) => ({ DENO_DIR: "/d" })[name];
  assert.equal(grants(["ffi", "read"], read), "--allow-ffi=/d/npm --allow-read=/d/npm");
  assert.match(
    grants(["net", "ffi"], read),
    /^--allow-net=[^ ]*huggingface\.co[^ ]* --allow-ffi=\/d\/npm$/,
  );
  assert.match(grants(["net", "ffi"], () => undefined), /^--allow-net=[^ ]*$/);
});

Deno.test("the release that is fetched is the one that is used, and its files are known", async () => {
  const lock = JSON.parse(await Deno.readTextFile(new URL("../../cli/dawn.lock", import.meta.url)));
  assert.deepEqual(Object.keys(lock.specifiers), [`npm:webgpu@${dawnVersion}`]);
  assert.match(project.tasks.dawn.command, new RegExp(`npm:webgpu@${dawnVersion}$`));
});

Deno.test("a command that was not asked for Dawn gives up native code, and keeps Deno's WebGPU", async () => {
  const { gpu } = navigator;
  await useBackend();
  assert.equal(navigator.gpu, gpu);
  assert.notEqual((await Deno.permissions.query({ name: "ffi" })).state, "granted");
});
