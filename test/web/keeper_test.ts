/** What the browser keeps, where its disk is full or its database was closed. */
import assert from "node:assert/strict";
import { Keeper, type Store } from "../../web/lab/keeper.ts";

/** A store whose connections forget runs, or throw, as the plan has it for each try. */
function stores(plan: (string | undefined)[]) {
  const told = { opened: 0, closed: 0, forgotten: [] as string[] };
  const open = (): Promise<Store> => {
    told.opened++;
    return Promise.resolve({
      list: () => Promise.resolve([]),
      read: () => Promise.reject(new Error("not asked for")),
      put: () => Promise.reject(new Error("not asked for")),
      forget(id) {
        const name = plan.shift();
        if (name !== undefined) return Promise.reject(new DOMException("closing", name));
        told.forgotten.push(id);
        return Promise.resolve();
      },
      close: () => void told.closed++,
    });
  };
  return { told, open };
}

Deno.test("a database that the browser closed is opened again, once for each write", async () => {
  const { told, open } = stores([undefined, "InvalidStateError", undefined, undefined]);
  const keeper = new Keeper(() => {}, open);
  for (const id of ["a", "b", "c"]) await keeper.forget(id);
  assert.deepEqual(told, { opened: 2, closed: 1, forgotten: ["a", "b", "c"] });
  assert.equal(keeper.problem, undefined);
});

Deno.test("a full disk is told in words, and tried again with what comes next", async () => {
  const closed = "InvalidStateError";
  const { told, open } = stores(["QuotaExceededError", undefined, closed, closed, undefined]);
  const keeper = new Keeper(() => {}, open);
  await keeper.forget("a");
  assert.equal(
    keeper.problem,
    "It is kept still: the browser has no room for it, or its disk is full.",
  );
  for (const id of ["b", "c", "d"]) await keeper.forget(id);
  assert.deepEqual(told, { opened: 4, closed: 3, forgotten: ["b", "d"] });
});
