/** What the doctor says of machines that this one is not, and of this one. */
import assert from "node:assert/strict";
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { main } from "../../cli/doctor.ts";
import type { AdapterFacts, DoctorTools } from "../../cli/doctor/facts.ts";
import { neededDeno } from "../../cli/doctor/findings.ts";
import { compareOnHost, type ProductFacts } from "../../cli/doctor/product.ts";
import { doctorTools } from "../../cli/doctor/tools.ts";
import { runProgram } from "./command.ts";
import { folderTest } from "../files/temporary.ts";
import { recorder } from "./recorder.ts";

const adapter: AdapterFacts = {
  description: "A GPU",
  vendor: "maker",
  architecture: "new",
  software: false,
  subgroup_min_size: 32,
  features: ["shader-f16", "timestamp-query"],
  limits: {
    maxStorageBuffersPerShaderStage: 8,
    maxComputeWorkgroupStorageSize: 16384,
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 28,
    maxTextureDimension2D: 8192,
  },
};

const product: ProductFacts = {
  size: 1024,
  difference: 2e-5,
  gpu_gflops: 12345,
  host_gflops: 1.25,
};

const matrix_units = { granted: "16 × 8 × 16" };

const healthy: DoctorTools = {
  runtime: () => ({ deno: `${neededDeno}.6`, os: "linux", arch: "x86_64" }),
  environment: (name) => ({ HOME: "/home/you" })[name],
  joinRanks: () => undefined,
  adapter: () => Promise.resolve(adapter),
  device: () => Promise.resolve({ product, matrix_units }),
  hubCache: () => Promise.resolve({ models: ["org/bert"], datasets: [], bytes: 4e8 }),
  freeBytes: () => Promise.resolve(50e9),
  tunedAdapters: () => Promise.resolve(["A GPU|maker|new|1", "A GPU|maker|new|2", "Other|x"]),
  askHub: () => Promise.resolve(200),
};

const fails = (message: string) => () => Promise.reject(new Error(message));
const withLimits = (limits: Partial<AdapterFacts["limits"]>): Partial<DoctorTools> => ({
  adapter: () => Promise.resolve({ ...adapter, limits: { ...adapter.limits, ...limits } }),
  device: fails("No device is to be tried."),
});

/** The command's exit code and what it wrote, on a machine that differs from the healthy one. */
async function examine(differing: Partial<DoctorTools>, args: string[] = [], columns = 200) {
  const [stdout, stderr] = [recorder(columns), recorder()];
  const code = await main(args, { ...healthy, ...differing }, stdout, stderr);
  assert.equal(stderr.text, "");
  return { code, stdout: stdout.text };
}

async function says(
  differing: Partial<DoctorTools>,
  code: number,
  line: RegExp,
  args: string[] = [],
): Promise<string> {
  const ended = await examine(differing, args, 1000);
  assert.match(ended.stdout, line);
  assert.equal(ended.code, code, ended.stdout);
  return ended.stdout;
}

Deno.test("a machine that can train: every matter is ok", async () => {
  const { code, stdout } = await examine({});
  assert.equal(code, 0);
  assert.equal(
    stdout,
    `ok       Deno           2.9.6 on linux, x86_64
ok       Adapter        A GPU, vendor maker, architecture new
ok       Features       timestamp-query yes, subgroups of 32 or more, shader-f16 yes
ok       Limits         8 buffers a kernel (8 needed), 16.4 kB of workgroup memory (16.4 kB needed), 134 MB a binding, 268 MB a buffer, textures of 8,192 texels a side
ok       Product        1024 × 1024 × 1024: 12,345 GFLOP/s on the GPU, 1.3 in JavaScript, at most 2.0e-5 apart
ok       Matrix units   granted, 16 × 8 × 16 of f16 with sums in f32: --matmul_precision f16 can use them
ok       Hub's cache    ${
      join("/home/you/.cache/huggingface/hub")
    }: 1 model (org/bert), 0 data sets, 400 MB
ok       Disk           50.0 GB free where results go and for the hub's cache
ok       Tuned kernels  ${join("/home/you/.cache/peft-on-webgpu/kernels.json")}: of A GPU; Other
ok       HF_TOKEN       not set, as public models and data sets need none
ok       Hub            https://huggingface.co answers

This machine can train.
`,
  );
});

Deno.test("what keeps training from working is a problem, with what to do", async () => {
  const none = { adapter: () => Promise.resolve(undefined), device: fails("not to be tried") };
  const without = await says(none, 1, /^problem +Adapter +No WebGPU adapter\. .*mesa-vulkan/m);
  assert.match(without, /^ok +Hub +/m, "the rest is told all the same");
  assert.match(without, /This machine cannot train yet\.\n$/);
  const few = withLimits({ maxStorageBuffersPerShaderStage: 4 });
  await says(few, 1, /^problem +Limits .* bind 4 buffers; 8 are needed\. .*README, "No GPU"/m);
  const small = withLimits({ maxComputeWorkgroupStorageSize: 8192 });
  await says(small, 1, /^problem +Limits +8\.2 kB of workgroup memory; 16\.4 kB are needed/m);
  await says({ device: fails("It broke.") }, 1, /^problem +Product .*failed: It broke\. Update/m);
  for (const difference of [0.1, NaN]) {
    const device = () => Promise.resolve({ product: { ...product, difference }, matrix_units });
    await says({ device }, 1, /^problem +Product .*the GPU computes wrongly/m);
  }
  const runtime = () => ({ ...healthy.runtime(), deno: "2.8.3" });
  await says({ runtime }, 1, /^problem +Deno +2\.8\.3 .*2\.9 is needed: \.\/denow/m);
});

Deno.test("what training can do without is a notice", async () => {
  const narrow = {
    ...withLimits({ maxStorageBufferBindingSize: 2 ** 26 }),
    device: healthy.device,
  };
  await says(narrow, 0, /^notice +Limits .*bert-base has a tensor of 93\.8 MB: use --model_name/m);
  const software = () => Promise.resolve({ ...adapter, software: true });
  await says({ adapter: software }, 0, /^notice +Adapter +A GPU \(software\), .*--max_samples/m);
  await says({ askHub: fails("no answer") }, 0, /^notice +Hub .*\(no answer\).*mini/m);
  await says({ askHub: () => Promise.resolve(503) }, 0, /^notice +Hub .*status 503/m);
  await says({ hubCache: fails("denied") }, 0, /^notice +Hub's cache .*HF_HUB_CACHE/m);
  const freeBytes = (path: string) => Promise.resolve(path === "results" ? 1e9 : 50e9);
  await says(
    { freeBytes },
    0,
    /^notice +Disk +1\.0 GB free where results go, 50\.0 GB for .*--output_dir and HF_HUB_CACHE/m,
  );
  await says({ freeBytes: fails("denied") }, 0, /^ok +Disk +.*cannot be told \(denied\)$/m);
  const slow = { ...product, gpu_gflops: 0.9, host_gflops: 1.4 };
  const device = () => Promise.resolve({ product: slow, matrix_units });
  await says({ device }, 0, /^notice +Product .*That is slow: .*XDG_CACHE_HOME/m);
  const runtime = () => ({ ...healthy.runtime(), deno: "3.0.0" });
  await says({ runtime }, 0, /^notice +Deno +3\.0\.0/m);
});

Deno.test("matrix units that are refused are no problem, and Dawn may have them", async () => {
  const device = () => Promise.resolve({ product, matrix_units: { refused: "it lacks them" } });
  const line = /^ok +Matrix units +refused, .* at f32, or try --backend dawn \(it lacks them\)$/m;
  await says({ device }, 0, line);
});

Deno.test("the hub is not asked with --offline, nor with HF_HUB_OFFLINE", async () => {
  const askHub = () => assert.fail("asked");
  await says({ askHub }, 0, /^ok +Hub .*not asked \(--offline\)/m, ["--offline"]);
  const environment = (name: string) => name === "HF_HUB_OFFLINE" ? "1" : undefined;
  await says({ askHub, environment }, 0, /^ok +Hub .*not asked \(HF_HUB_OFFLINE is set\)/m);
});

Deno.test("no token and no password is printed", async () => {
  for (
    const [token, status, code] of [["hf_private", "ok", 0], ["private", "problem", 1]] as const
  ) {
    const variables: Record<string, string> = {
      HF_TOKEN: token,
      HF_ENDPOINT: "https://me:private@mirror.example",
    };
    const environment = (name: string) => variables[name];
    for (const askHub of [healthy.askHub, (url: string) => fails(`no way to ${url}/`)()]) {
      for (const args of [[], ["--json"]]) {
        const stdout = await says({ environment, askHub }, code, /https:\/\/mirror\.example/, args);
        assert.doesNotMatch(stdout, /private/);
        if (args.length === 0) assert.match(stdout, new RegExp(`^${status} +HF_TOKEN `, "m"));
      }
    }
  }
});

Deno.test("any answer of the hub will do, without the token, and a redirection is not followed", async () => {
  const asked: [string, string | null][] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    asked.push([request.method, request.headers.get("authorization")]);
    return new Response(null, { status: 302, headers: { location: "https://other.example/" } });
  });
  const endpoint = `http://127.0.0.1:${server.addr.port}`;
  assert.equal(await doctorTools.askHub(endpoint), 302);
  assert.deepEqual(asked, [["HEAD", null]]);
  await server.shutdown();
  await assert.rejects(doctorTools.askHub(endpoint), /refused/i);
});

folderTest("a damaged file of tuned kernels is a notice, a missing one is ok", async (folder) => {
  const path = join(folder, "kernels.json");
  const tunedAdapters = () => doctorTools.tunedAdapters(path);
  await says({ tunedAdapters }, 0, /^ok +Tuned kernels .*none yet/m);
  for (const text of ["{", `{"version":1,"adapters":{}}`]) {
    await Deno.writeTextFile(path, text);
    await says({ tunedAdapters }, 0, /^notice +Tuned kernels .*damaged, or another version's/m);
  }
  await Deno.writeTextFile(
    path,
    `{"version":2,"adapters":{"A GPU|x":{"tuned":"","plans":{},"refused":[]}}}`,
  );
  await says({ tunedAdapters }, 0, /^ok +Tuned kernels .*: of A GPU$/m);
});

folderTest("the hub's cache is counted by its repositories' files", async (folder) => {
  const cache = join(folder, "hub");
  assert.deepEqual(await doctorTools.hubCache(cache), { models: [], datasets: [], bytes: 0 });
  for (const name of ["models--org--b", "models--a", "datasets--org--c", "version.txt--x"]) {
    await Deno.mkdir(join(cache, name, "blobs"), { recursive: true });
    await Deno.writeTextFile(join(cache, name, "blobs", "1"), "12345");
  }
  await Deno.writeTextFile(join(cache, "models--file"), "");
  await Deno.symlink(join("blobs", "1"), join(cache, "models--a", "link"));
  assert.deepEqual(await doctorTools.hubCache(cache), {
    models: ["a", "org/b"],
    datasets: ["org/c"],
    bytes: 15,
  });
});

Deno.test("lines keep within 60 columns", async () => {
  const { stdout } = await examine({ adapter: () => Promise.resolve(undefined) }, [], 60);
  for (const line of stdout.split("\n").filter((line) => !line.includes("/"))) {
    assert.ok(line.length <= 60, line);
  }
});

Deno.test("the host's product finds a value that is wrong, and one that is none", () => {
  const a = Float32Array.of(1, 2, 3, 4);
  const b = Float32Array.of(5, 6, 7, 8);
  const c = [17, 23, 39, 53];
  assert.equal(compareOnHost(a, b, Float32Array.from(c), 2).difference, 0);
  assert.equal(compareOnHost(a, b, Float32Array.from([...c.slice(0, 3), 50]), 2).difference, 3);
  assert.equal(compareOnHost(a, b, Float32Array.of(NaN, ...c.slice(1)), 2).difference, NaN);
});

Deno.test("the task reads, and asks the hub alone; the Deno it needs is denow's", async () => {
  const { read, env, ...others } = project.permissions.doctor;
  assert.deepEqual([read, others], [true, { sys: ["homedir", "statfs"] }]);
  assert.deepEqual(env, project.permissions.commands.env);
  const denow = await Deno.readTextFile(new URL("../../denow", import.meta.url));
  assert.match(denow, new RegExp(`^series=${neededDeno.replace(".", "\\.")}\\.`, "m"));
});

Deno.test("the real command, with the task's permissions, on the adapter that there is", async () => {
  const run = ["run", "-q", "--no-check", "-P=doctor", "--no-prompt", "cli/doctor.ts"];
  const doctor = (...args: string[]) =>
    runProgram(Deno.execPath(), [...run, ...args], {
      env: { NO_COLOR: "1", HF_TOKEN: "hf_x1y2", HF_HUB_CACHE: "/not/made/yet" },
    });
  const { code, stdout, stderr } = await doctor("--offline", "--json");
  assert.equal(stderr, "");
  assert.equal(code, 0, stdout);
  assert.doesNotMatch(stdout, /hf_x1y2/);
  const { can_train, findings, facts } = JSON.parse(stdout);
  assert.equal(can_train, true);
  assert.equal(findings.length, 11);
  // Of the nearest folders that there are.
  assert.equal(facts.disk.hub_cache.path, "/not/made/yet");
  for (const { free_bytes } of Object.values<{ free_bytes: number }>(facts.disk)) {
    assert.ok(free_bytes > 0, JSON.stringify(facts.disk));
  }
  assert.equal(facts.token, "set");
  assert.ok(facts.device.product.difference < 1e-3, stdout);
  const wrong = await doctor("--nothing");
  assert.equal(wrong.code, 2);
  assert.match(wrong.stderr, /^Error: .*See deno task doctor --help\.\n$/);
});
