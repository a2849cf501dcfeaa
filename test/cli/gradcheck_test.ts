/** The command that checks kernels sees wrong gradients, kernels that do not compile, bits that differ. */
import assert from "node:assert/strict";
import { main } from "../../cli/gradcheck.ts";
import { checkTable, rowName } from "../../cli/gradcheck/report.ts";
import { createDevice, type Device } from "../../engine/device.ts";
import { registerPlan } from "../../engine/plans.ts";
import { allowed, type Check, checksFor, operationNames, runChecks } from "../../gradcheck/mod.ts";
import { relativeError } from "../../gradcheck/values.ts";

/** A device whose GPU gets other code for the kernels of a label. */
async function deviceWith(label: string, change: (code: string) => string): Promise<Device> {
  const device = await createDevice({ kernels: { matmul: registerPlan(1, 1) } });
  const { gpu } = device;
  const original = gpu.createShaderModule.bind(gpu);
  let changed = 0;
  gpu.createShaderModule = (descriptor) => {
    if (!descriptor.label!.startsWith(label)) return original(descriptor);
    const code = change(descriptor.code);
    assert.ok(code !== descriptor.code || changed++ > 0, `nothing to change in ${label}`);
    return original({ ...descriptor, code });
  };
  return device;
}

/** What the command prints on a device, and its exit code. */
async function said(args: string[], open: () => Promise<Device> = createDevice) {
  const texts = { stdout: "", stderr: "" };
  const output = (name: "stdout" | "stderr") => ({
    write: (text: string) => void (texts[name] += text),
    terminal: name === "stderr",
    color: false,
    columns: () => 80,
  });
  const code = await main(args, open, output("stdout"), output("stderr"));
  return { code, ...texts };
}

Deno.test("gradcheck: rows within what is allowed, a line of progress, exit code 0", async () => {
  const { code, stdout, stderr } = await said(["--only", "relu,adamw"]);
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, /^relu +5 +0 +0 +1e-5, 1e-4 +ok$/m);
  assert.match(stdout, /^adamw +3 +\S+e-\d +\S+e-\d +1e-5, 1e-4 +ok$/m);
  assert.match(stdout, /All kernels compute what they should/);
  for (const line of stdout.split("\n").slice(2)) assert.ok(line.length <= 80, line);
  assert.match(stderr, /1 of 2: relu.*2 of 2: adamw/s);
});

Deno.test("gradcheck: a narrow terminal gets the errors, and no line too long", () => {
  const row = { cases: 3, forward: 1e-7, gradient: 2e-7, repeats: true, status: "ok" } as const;
  const rows = [{ ...row, operation: "matmul", variant: "registers 32×8, subgroup, textures" }];
  const [, title, , line] = checkTable(rows, 40, allowed);
  assert.match(title, /^Operation +error +error$/);
  assert.match(line, /^matmul, reg\S*… +1\.0e-7 +2\.0e-7 +ok$/);
  for (const width of [40, 63, 64, 80, 100]) {
    for (const each of checkTable(rows, width, allowed)) assert.ok(each.length <= width, each);
  }
});

Deno.test("gradcheck: a wrong gradient fails, is named with its shapes, and exits with 1", async () => {
  const open = () =>
    deviceWith("gelu.backward", (code) => code.replace(/dx\[i\] = /, "dx[i] = 1.001 * "));
  const { code, stdout } = await said(["--only", "gelu,relu"], open);
  assert.equal(code, 1);
  assert.match(stdout, /^gelu +5 +\S+e-8 +9\.9e-4 +1e-5, 1e-4 +failed$/m);
  assert.match(stdout, /^relu .* ok$/m);
  assert.match(stdout, /Failed: gelu at \[\d+, \d+\]: off by \S+, its gradients by 9\.9e-4\./);
  const json = await said(["--only", "gelu", "--json"], open);
  const document = JSON.parse(json.stdout);
  assert.equal(json.code, 1);
  assert.deepEqual(document.allowed, { forward: 1e-5, gradient: 1e-4 });
  const [row] = document.rows;
  assert.ok(row.status === "failed" && row.gradient > 9e-4 && row.forward < 1e-6 && row.repeats);
});

Deno.test("gradcheck: what does not compile is said, and the rows after it are as ever", async () => {
  const open = () => deviceWith("layer_norm", (code) => `${code}\nno kernel`);
  const { code, stdout } = await said(["--only", "layerNorm,relu"], open);
  assert.equal(code, 1);
  assert.match(stdout, /^layerNorm +6 +– +– +1e-5 +failed$/m);
  assert.match(stdout, /^relu .* ok$/m);
  assert.match(stdout, /Failed: layerNorm at \[1, 12\] \[12\] \[12\]: Kernel layer_norm/);
});

Deno.test("gradcheck: a plan that the driver refuses is no failure, unless it is the adapter's own", async () => {
  const device = await deviceWith("matmul", (code) => `${code}\nno kernel`);
  const [{ cases }] = checksFor(device, { only: ["matmul"] });
  const check: Check = { operation: "matmul", cases: cases.slice(0, 1) };
  const plans = [registerPlan(1, 2), registerPlan(1, 1)];
  const checks = plans.map((matmul) => ({ ...check, kernels: { matmul } }));
  const statuses: string[] = [];
  for await (const { status } of runChecks(device, checks)) statuses.push(status);
  assert.deepEqual(statuses, ["refused", "failed"]);
  device.destroy();
});

Deno.test("gradcheck: other bits in a second run fail, however small the errors", async () => {
  const device = await createDevice();
  let run = 0;
  const bits = () => [Float32Array.of(1, 1 + 1e-6 * run++)];
  const check: Check = {
    operation: "dropout",
    cases: [{ shapes: "[2]", run: () => Promise.resolve({ forward: 0, bits: bits() }) }],
  };
  for await (const row of runChecks(device, [check])) {
    assert.deepEqual([row.status, row.repeats, row.worst], ["failed", false, "[2]"]);
  }
  device.destroy();
});

Deno.test("gradcheck: an error is relative; no number, or too few, is infinitely far off", () => {
  assert.equal(relativeError([3, 4.5], [3, 4]), 0.1);
  assert.equal(relativeError([0, 0.5], [0, 0], 5), 0.1);
  assert.equal(relativeError([0], [0]), 0);
  for (const actual of [[NaN, 1], [Infinity, 1], [1]]) {
    assert.equal(relativeError(actual, [1, 1]), Infinity);
  }
});

Deno.test("gradcheck: every operation has a row of its own, and all of them have more cases", async () => {
  const device = await createDevice();
  const [some, all] = [checksFor(device), checksFor(device, { all: true })];
  const names = all.map(rowName);
  assert.equal(new Set(names).size, names.length, names.join());
  assert.deepEqual(new Set(some.map(({ operation }) => operation)), new Set(operationNames));
  assert.ok(names.includes("linear, LoRA") && names.some((name) => /^matmul, reg/.test(name)));
  for (const check of some) {
    const more = all.find((each) => rowName(each) === rowName(check))!;
    assert.ok(more.cases.length >= check.cases.length, rowName(check));
  }
  device.destroy();
});

Deno.test("gradcheck: an operation that there is not is wrong use", async () => {
  const { code, stderr } = await said(["--only", "gleu"]);
  assert.equal(code, 2);
  assert.match(stderr, /"gleu" is none of add, attention, .*matmul, adamw/);
});
