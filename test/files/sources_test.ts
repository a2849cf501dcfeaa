import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { UserError } from "../../models/errors.ts";
import {
  blobSource,
  type ByteSource,
  bytesSource,
  rangeSource,
} from "../../models/files/byte_source.ts";
import { openCheckpoint } from "../../models/files/checkpoint.ts";
import { type Folder, memoryFolder } from "../../models/files/folder.ts";
import { fileSource, hostFolder } from "../../models/host/files.ts";
import { folderTest, golden, goldenFolder, withFolder } from "./temporary.ts";

const bytes = Uint8Array.from({ length: 100 }, (_, i) => i);

const rejects = (promise: Promise<unknown>, message: RegExp) =>
  assert.rejects(promise, (error) => error instanceof UserError && message.test(error.message));

/** A web server with one file, `/bytes`. */
async function withServer(
  body: (address: string, served: { ranges: boolean; asked: string[] }) => Promise<void>,
): Promise<void> {
  const served = { ranges: true, asked: [] as string[] };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
    const range = request.headers.get("range");
    served.asked.push(`${range}`);
    if (!request.url.endsWith("/bytes")) return new Response("none", { status: 404 });
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
    if (!served.ranges || first === undefined) return new Response(bytes);
    return new Response(bytes.slice(Number(first), Number(last) + 1), {
      status: 206,
      headers: { "content-range": `bytes ${first}-${last}/${bytes.length}` },
    });
  });
  try {
    await body(`http://127.0.0.1:${server.addr.port}`, served);
  } finally {
    await server.shutdown();
  }
}

Deno.test("every source gives the same parts of the same bytes", async () => {
  await withServer((address) =>
    withFolder(async (folder) => {
      const path = join(folder, "bytes");
      await Deno.writeFile(path, bytes);
      const sources: ByteSource[] = [
        bytesSource(bytes, "bytes"),
        bytesSource(new Uint8Array([9, ...bytes, 9]).subarray(1, 101), "a view"),
        blobSource(new Blob([bytes]), "bytes"),
        await fileSource(path),
        await rangeSource(`${address}/bytes`),
      ];
      const ends = fc.tuple(fc.nat({ max: 100 }), fc.nat({ max: 120 }));
      for (const source of sources) {
        assert.equal(source.byteLength, 100, source.name);
        assert.deepEqual(new Uint8Array(await source.slice(0)), bytes, source.name);
        const parts = fc.sample(ends, 20).map(async ([begin, end]) => {
          const part = new Uint8Array(await source.slice(begin, end));
          assert.deepEqual(part, bytes.slice(begin, end), `${source.name} [${begin}, ${end})`);
        });
        await Promise.all(parts);
        source.close?.();
      }
    })
  );
});

Deno.test("a web server's file is read by ranges, or refused", async () => {
  await withServer(async (address, served) => {
    const source = await rangeSource(`${address}/bytes`);
    assert.deepEqual([...new Uint8Array(await source.slice(10, 12))], [10, 11]);
    assert.deepEqual(served.asked, ["bytes=0-0", "bytes=10-11"]);
    await rejects(rangeSource(`${address}/other`), /Cannot get .*\/other: answer 404/);
    served.ranges = false;
    await rejects(rangeSource(`${address}/bytes`), /ignores ranges \(answer 200\)/);
  });
  await rejects(
    rangeSource("http://127.0.0.1:9/bytes"),
    /Cannot get http:\/\/127\.0\.0\.1:9\/bytes/,
  );
});

folderTest("a folder of the machine and one in memory are alike", async (path) => {
  await Deno.mkdir(join(path, "data"));
  await Deno.writeTextFile(join(path, "a.txt"), "naïve");
  await Deno.writeFile(join(path, "data", "b.bin"), bytes);
  const inMemory = memoryFolder(
    path,
    new Map<string, Uint8Array | Blob>([
      ["data/b.bin", bytes],
      ["a.txt", new Blob(["naïve"])],
    ]),
  );
  for (const folder of [hostFolder(path), inMemory]) {
    assert.equal(folder.name, path);
    assert.deepEqual(await folder.list(), ["a.txt", "data/b.bin"]);
    assert.equal(await folder.has("a.txt"), true);
    assert.equal(await folder.has("none.txt"), false);
    assert.equal(await folder.text("a.txt"), "naïve");
    assert.deepEqual(await folder.bytes("data/b.bin"), bytes);
    const source = await folder.open("a.txt");
    assert.match(source.name, /a\.txt$/);
    assert.equal(source.byteLength, 6);
    source.close?.();
    await rejects(folder.open("none.txt"), /^There is no file .*none\.txt\.$/);
  }
  assert.deepEqual(await hostFolder(join(path, "nowhere")).list(), []);
});

Deno.test("a checkpoint is read from memory as from disk", async () => {
  const tensors = async (folder: Folder) => {
    const checkpoint = await openCheckpoint(folder);
    try {
      const names = [...checkpoint.tensors.keys()];
      return await Promise.all(names.map(async (name) => [name, await checkpoint.read(name)]));
    } finally {
      checkpoint.close();
    }
  };
  const weights = await Deno.readFile(golden("model", "model.safetensors"));
  const inMemory = memoryFolder("dropped", new Map([["model.safetensors", new Blob([weights])]]));
  assert.deepEqual(await tensors(inMemory), await tensors(goldenFolder("model")));
});

Deno.test("a source that ends early is an error", async () => {
  const whole = bytesSource(await Deno.readFile(golden("model", "model.safetensors")), "cut");
  const cut: ByteSource = {
    ...whole,
    slice: (begin, end = whole.byteLength) => whole.slice(begin, begin > 8 ? end - 1 : end),
  };
  const checkpoint = await openCheckpoint({
    ...goldenFolder("model"),
    open: () => Promise.resolve(cut),
  });
  await rejects(checkpoint.read("classifier.bias"), /^cut ended while it was being read\.$/);
});
