/** `./denow` in a world of stand-ins: programs that only say that they were called. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import project from "../../deno.json" with { type: "json" };
import { type Ended, runProgram } from "./command.ts";
import { withFolder } from "../files/temporary.ts";

const denow = fileURLToPath(new URL("../../denow", import.meta.url));

const programs = {
  deno: (version: string) =>
    `case $1 in
  --version) echo "deno ${version} (stable)" ;;
  eval) [ -e "$ADAPTER" ] ;;
  *) echo "deno ${version} ran $*" ;;
esac`,
  /** What `npm install --prefix FOLDER …` leaves: the binary, in the platform's package alone. */
  npm: `echo npm "$1" >> "$LOG"
mkdir -p "$3/node_modules/@deno/some-platform"
cp "$STUBS/deno-2.9.6" "$3/node_modules/@deno/some-platform/deno"`,
  /** `curl -fsSL -o FILE URL` */
  curl: `echo curl "$4" >> "$LOG"
cat > "$3" <<'END'
echo installer "$@" >> "$LOG"
mkdir -p "$DENO_INSTALL/bin" && cp "$STUBS/deno-2.9.6" "$DENO_INSTALL/bin/deno"
END`,
  aptGet: `echo apt-get "$@" >> "$LOG"
case "$*" in *mesa*) : > "$ADAPTER" ;; esac`,
  id: (user: number) => `echo ${user}`,
  unzip: "",
};

interface World {
  run(...args: string[]): Promise<Ended>;
  add(name: string, script: string): Promise<void>;
  log(): Promise<string[]>;
  adapter: string;
  /** The user's home. */
  folder: string;
}

const withWorld = (test: (world: World) => Promise<void>): Promise<void> =>
  withFolder(async (folder) => {
    const bin = join(folder, "bin");
    await Deno.mkdir(bin);
    const write = (path: string, script: string) =>
      Deno.writeTextFile(path, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    await write(join(folder, "deno-2.9.6"), programs.deno("2.9.6"));
    // The real ones, found where this test runs, and nothing else of this machine.
    const real = "sh mktemp dirname mkdir rm mv cp cat chmod uname awk".split(" ");
    const link = real.map((name) => `ln -s "$(command -v ${name})" "${bin}/${name}"`).join("\n");
    const linked = await runProgram("sh", ["-c", link]);
    assert.equal(linked.code, 0, linked.stderr);
    const log = join(folder, "log");
    const adapter = join(folder, "adapter");
    const env = { PATH: bin, HOME: folder, LOG: log, STUBS: folder, ADAPTER: adapter };
    const pairs = Object.entries(env).map(([name, value]) => `${name}=${value}`);
    await test({
      adapter,
      folder,
      add: (name, script) => write(join(bin, name), script),
      run: (...args) => runProgram("env", ["-i", ...pairs, denow, ...args], { cwd: folder }),
      log: () =>
        Deno.readTextFile(log).then(
          (text) => text.trimEnd().split("\n"),
          () => new Array<string>(),
        ),
    });
  });

Deno.test("denow takes a Deno from PATH that fits", () =>
  withWorld(async ({ add, run, log }) => {
    await add("deno", programs.deno("2.9.9"));
    await add("npm", programs.npm);
    const { code, stdout, stderr } = await run("task", "fmt", "a  b");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "deno 2.9.9 ran task fmt a  b\n");
    assert.deepEqual(await log(), []);
  }));

Deno.test("denow installs the pinned Deno through npm, once", () =>
  withWorld(async ({ add, run, log }) => {
    await add("deno", programs.deno("2.10.0"));
    await add("npm", programs.npm);
    await add("curl", programs.curl);
    for (let time = 1; time <= 2; time++) {
      const { code, stdout, stderr } = await run("fmt");
      assert.equal(code, 0, stderr);
      assert.equal(stdout, "deno 2.9.6 ran fmt\n");
      assert.equal(/installing Deno 2\.9\.6/.test(stderr), time === 1);
    }
    assert.deepEqual(await log(), ["npm install"]);
  }));

Deno.test("denow keeps Deno in the project's cache folder, and uses one where it lay before", () =>
  withWorld(async ({ add, run, log, folder }) => {
    await add("npm", programs.npm);
    const at = (name: string) => join(folder, ".cache", name, "deno-2.9.6", "bin", "deno");
    const isThere = (name: string) => Deno.stat(at(name)).then(() => true, () => false);
    assert.equal((await run("fmt")).code, 0);
    assert.deepEqual(await log(), ["npm install"]);
    assert.deepEqual([await isThere("peft-on-webgpu"), await isThere("peft-webgpu")], [
      true,
      false,
    ]);

    await Deno.rename(
      join(folder, ".cache", "peft-on-webgpu"),
      join(folder, ".cache", "peft-webgpu"),
    );
    const { code, stdout, stderr } = await run("fmt");
    assert.deepEqual([code, stdout, stderr], [0, "deno 2.9.6 ran fmt\n", ""]);
    assert.deepEqual(await log(), ["npm install"], "not downloaded again");

    await Deno.writeTextFile(at("peft-webgpu"), "#!/bin/sh\nexit 1\n"); // one that does not run
    assert.equal((await run("fmt")).stdout, "deno 2.9.6 ran fmt\n");
    assert.deepEqual(await log(), ["npm install", "npm install"]);
    assert.ok(await isThere("peft-on-webgpu"));
  }));

Deno.test("denow uses Deno's installer where there is no npm", () =>
  withWorld(async ({ add, run, log }) => {
    await add("curl", programs.curl);
    await add("unzip", programs.unzip);
    const { code, stdout, stderr } = await run("fmt");
    assert.equal(code, 0, stderr);
    assert.equal(stdout, "deno 2.9.6 ran fmt\n");
    assert.deepEqual(await log(), [
      "curl https://deno.land/install.sh",
      "installer --no-modify-path v2.9.6",
    ]);
  }));

Deno.test("denow says what is missing where it can install nothing", () =>
  withWorld(async ({ add, run }) => {
    const nothing = await run("fmt");
    assert.equal(nothing.code, 1);
    assert.match(nothing.stderr, /takes npm, curl or wget/);
    await add("curl", programs.curl);
    const noUnzip = await run("fmt");
    assert.equal(noUnzip.code, 1);
    assert.match(noUnzip.stderr, /apt-get install unzip/);
  }));

Deno.test("without a WebGPU adapter denow installs one as root, and says so", () =>
  withWorld(async ({ add, run, log, adapter }) => {
    await add("deno", programs.deno("2.9.6"));
    await add("uname", "echo Linux");
    await add("apt-get", programs.aptGet);
    await add("id", programs.id(0));
    assert.equal((await run("task", "train", "--dry_run")).stderr, "");
    assert.equal((await run("fmt")).stderr, "");
    const { code, stdout, stderr } = await run("task", "train");
    assert.equal(code, 0);
    assert.equal(stdout, "deno 2.9.6 ran task train\n");
    assert.match(stderr, /^denow: no WebGPU adapter; installing .*mesa-vulkan-drivers\n$/);
    assert.deepEqual(await log(), [
      "apt-get update",
      "apt-get install -y --no-install-recommends mesa-vulkan-drivers",
    ]);
    assert.equal((await run("task", "test")).stderr, "");
    await Deno.remove(adapter);
    await add("apt-get", "exit 100");
    const failing = await run("task", "test");
    assert.match(failing.stderr, /still no WebGPU adapter/);
    for (const task of ["gradcheck", "from_scratch", "exercise"]) {
      assert.match((await run("task", task)).stderr, /still no WebGPU adapter/, task);
    }
    assert.equal(failing.stdout, "deno 2.9.6 ran task test\n");
  }));

Deno.test("without a WebGPU adapter denow tells other users the command", () =>
  withWorld(async ({ add, run, log }) => {
    await add("deno", programs.deno("2.9.6"));
    await add("uname", "echo Linux");
    await add("apt-get", programs.aptGet);
    await add("id", programs.id(1000));
    assert.equal((await run("task", "peft", "train", "--help")).stderr, "");
    assert.equal((await run("task", "peft", "help", "train")).stderr, "");
    for (const task of ["train", "predict", "evaluate", "peft train"]) {
      const { stdout, stderr } = await run("task", ...task.split(" "));
      assert.equal(stdout, `deno 2.9.6 ran task ${task}\n`);
      assert.match(stderr, /sudo apt-get install mesa-vulkan-drivers/);
    }
    assert.deepEqual(await log(), []);
  }));

Deno.test("denow names the task that is nearest to one that does not exist, and leaves others to Deno", () =>
  withWorld(async ({ add, run, folder }) => {
    await add("deno", programs.deno("2.9.6"));
    await add("uname", "echo Other");
    await Deno.copyFile(new URL("../../deno.json", import.meta.url), join(folder, "deno.json"));
    const wrong: [string[], string][] = [
      [["trian", "--help"], " Did you mean train?"],
      [["--node-modules-dir=manual", "test:gpuu"], " Did you mean test:gpu?"],
      [["-q", "predct"], " Did you mean predict?"],
      [["commands"], ""], // a name elsewhere in deno.json
      [["xyz"], ""],
    ];
    for (const [args, guess] of wrong) {
      const { code, stdout, stderr } = await run("task", ...args);
      assert.equal(code, 2, args.join(" "));
      assert.equal(stdout, "");
      const name = args.find((word) => /^[a-z]/.test(word));
      assert.ok(stderr.startsWith(`denow: there is no task ${name}.${guess} /`), stderr);
      assert.match(stderr, /denow task peft lists the commands, .*denow task all tasks\.\n$/);
    }
    const right = [
      ...Object.keys(project.tasks).map((name) => [name]),
      [],
      ["--help"],
      ["--node-modules-dir=manual", "test:gpu"],
      ["bench:*"],
      ["--cwd", "elsewhere", "build"],
    ];
    for (const args of right) {
      const { code, stdout, stderr } = await run("task", ...args);
      assert.deepEqual([code, stderr], [0, ""], args.join(" "));
      assert.equal(stdout, `deno 2.9.6 ran ${["task", ...args].join(" ")}\n`);
    }
    await Deno.remove(join(folder, "deno.json"));
    assert.equal((await run("task", "trian")).stdout, "deno 2.9.6 ran task trian\n");
  }));
