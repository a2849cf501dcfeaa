/** Claims on tasks, where processes of several machines share a folder. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { claimTask } from "../../cli/sweep/claim.ts";
import { namesIn, withFolder } from "../files/temporary.ts";
import { until } from "./command.ts";

const patience = { beat: 20, until: 200 };

function claim(folder: string, host = "here") {
  const told: string[] = [];
  const options = {
    host,
    patience,
    onWait: (holder: string) => void told.push(holder),
    onLost: () => void told.push("lost"),
  };
  return { told, claimed: claimTask(folder, "lora-r4", options) };
}

/** A claim as another machine's process leaves it, whose locks are not seen here. */
const foreign = (folder: string, beats = 0) =>
  Deno.writeTextFile(join(folder, "lora-r4.claim-1"), `node7 12 ${beats}\n`);

Deno.test("one process has a task; another is told which, at once, and has it after a release", () =>
  withFolder(async (folder) => {
    const first = await claim(folder).claimed;
    assert.ok("claim" in first);
    for (const host of ["here", "elsewhere"]) {
      const { told, claimed } = claim(folder, host);
      assert.deepEqual(await claimed, { holder: `here, process ${Deno.pid}` });
      assert.deepEqual(told, []);
    }
    first.claim.release();
    assert.deepEqual(await namesIn(folder), []);
    const second = await claim(folder).claimed;
    assert.ok("claim" in second);
    second.claim.release();
  }));

Deno.test("of two that come at once one has the task", () =>
  withFolder(async (folder) => {
    const all = await Promise.all(Array.from({ length: 8 }, () => claim(folder).claimed));
    const held = all.flatMap((each) => "claim" in each ? [each.claim] : []);
    assert.equal(held.length, 1);
    held[0].release();
  }));

Deno.test("a process of another machine is waited for, and its task taken where it shows no sign of life", () =>
  withFolder(async (folder) => {
    await foreign(folder);
    const { told, claimed } = claim(folder);
    const taken = await claimed;
    assert.ok("claim" in taken);
    assert.deepEqual(told, ["node7, process 12"]);
    assert.deepEqual(await namesIn(folder), ["lora-r4.claim-1", "lora-r4.claim-2"]);
    taken.claim.release();
    assert.deepEqual(await namesIn(folder), []);
  }));

Deno.test("a process of another machine that writes on keeps its task", () =>
  withFolder(async (folder) => {
    await foreign(folder);
    let beats = 1;
    const timer = setInterval(() => foreign(folder, beats++), 20);
    assert.deepEqual(await claim(folder).claimed, { holder: "node7, process 12" });
    clearInterval(timer);
  }));

Deno.test("who left a task on this machine is known to be gone, and who was taken for gone is told", () =>
  withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "lora-r4.claim-1"), "here 1 5\n");
    const { told, claimed } = claim(folder);
    const taken = await claimed;
    assert.ok("claim" in taken);
    assert.equal(told.length, 0, "it has no lock, and is not waited for");
    await Deno.writeTextFile(join(folder, "lora-r4.claim-3"), "node7 12 0\n");
    await until(() => told.includes("lost"));
    taken.claim.release();
    assert.deepEqual(await namesIn(folder), ["lora-r4.claim-3"], "the other's stays");
  }));
