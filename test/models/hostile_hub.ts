/** A cache among files of the user's, and a hub that answers what a test says. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Repository } from "../../models/hub/repository.ts";
import type { HubSettings } from "../../models/host/settings.ts";
import { withFolder } from "../files/temporary.ts";
import {
  type FakeHub,
  hashOf,
  patience,
  tinyConfig,
  tinyVocabulary,
  withFakeHub,
} from "./fake_hub.ts";

export const revision = "0123456789abcdef0123456789abcdef01234567";
export const rows = "text,label\na,1\nb,0\n";
const model = {
  "config.json": tinyConfig,
  "vocab.txt": tinyVocabulary,
  "model.safetensors": new Uint8Array(500).fill(5),
};
export const good = { type: "file", path: "train.csv", size: rows.length, oid: hashOf(rows) };
export const repository: Repository = { type: "dataset", name: "org/rows" };
export const token = "hf_itsmytokenalone";

/** Every file below a folder, with its bytes: of links where they lead. */
async function treeOf(folder: string, prefix = ""): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, isDirectory, isSymlink } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) found.push(`${prefix}${name}/`, ...await treeOf(path, `${prefix}${name}/`));
    else if (isSymlink) found.push(`${prefix}${name} -> ${await Deno.readLink(path)}`);
    else {found.push(
        `${prefix}${name} ${createHash("sha1").update(await Deno.readFile(path)).digest("hex")}`,
      );}
  }
  return found.sort();
}

/** A cache three folders deep, among files of the user's that must stay as they are. */
export async function withSentinels(
  test: (hub: FakeHub, settings: HubSettings) => Promise<void>,
): Promise<void> {
  const repositories = {
    "datasets/org/rows": { revision, files: { "train.csv": rows } },
    "models/org/rows": { revision, files: model },
  };
  await withFakeHub(repositories, (hub, { endpoint }) =>
    withFolder(async (home) => {
      const cacheFolder = join(home, "a", "b", "cache");
      await Deno.mkdir(cacheFolder, { recursive: true });
      for (const name of ["x", "a/config.json", "a/b/x", "a/b/train.csv"]) {
        await Deno.writeTextFile(join(home, name), "mine");
      }
      const outside = async () =>
        (await treeOf(home)).filter((line) => !line.startsWith("a/b/cache/"));
      const before = await outside();
      await test(hub, { endpoint, cacheFolder, offline: false, patience, token });
      assert.deepEqual(await outside(), before, "written outside the cache");
      for (const line of await treeOf(cacheFolder)) {
        const link = / -> (.*)$/.exec(line)?.[1];
        assert.ok(link === undefined || /^(\.\.\/)+blobs\/[0-9a-f]+$/.test(link), line);
      }
    }));
}

export const isApi = (path: string, verb: string) =>
  path.startsWith("/api/") && path.includes(`/${verb}/`);

/** Lets the hub answer with this listing. */
export function listing(
  hub: FakeHub,
  entries: unknown,
  headers: Record<string, string> = {},
): void {
  hub.instead = (path) => isApi(path, "tree") ? Response.json(entries, { headers }) : undefined;
}
