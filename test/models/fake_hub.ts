/** A tiny Hugging Face hub on 127.0.0.1: the few endpoints that a download asks, nothing else. */
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import type { HubSettings } from "../../models/host/settings.ts";
import { withFolder } from "../files/temporary.ts";

export interface FakeRepository {
  revision: string;
  /** Content by path. */
  files: Record<string, string | Uint8Array<ArrayBuffer>>;
  /** Answer without a token that fits: as the hub does for private repositories. */
  token?: string;
}

export interface FakeHub {
  endpoint: string;
  /** `METHOD /path` of every request so far. */
  requests: string[];
  /** Answers every request with this status instead, while it is set. */
  failWith?: number;
  /** Answers a request, by its path, instead of what follows. */
  instead?: (path: string, request: Request) => Response | Promise<Response> | undefined;
  /** Cuts this many bytes off every file that is sent. */
  cutOff: number;
  /** Sends files whole where a part is asked for. */
  ignoresRanges: boolean;
  /** Bytes of files, sent so far. */
  bytesSent: number;
  close(): Promise<void>;
}

const bytesOf = (content: string | Uint8Array<ArrayBuffer>) =>
  typeof content === "string" ? new TextEncoder().encode(content) : content;

/** The name of a content's blob: texts are kept by git, bytes as large files. */
export function hashOf(content: string | Uint8Array<ArrayBuffer>): string {
  const bytes = bytesOf(content);
  return typeof content === "string"
    ? createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex")
    : createHash("sha256").update(bytes).digest("hex");
}

/** Starts a hub that holds the repositories, by `models/org/name` or `datasets/org/name`. */
export function startFakeHub(repositories: Record<string, FakeRepository>): FakeHub {
  const requests: string[] = [];
  const answer = async (request: Request): Promise<Response> => {
    const url = new URL(request.url);
    const path = decodeURIComponent(url.pathname);
    requests.push(`${request.method} ${path}`);
    const other = await hub.instead?.(path, request);
    if (other !== undefined) return other;
    if (hub.failWith !== undefined) {
      return new Response("no", { status: hub.failWith, headers: { "retry-after": "0" } });
    }
    const [, api, kind, name, verb, rest = ""] = path.match(
      /^\/(api\/)?((?:models|datasets)\/)?([^/]+\/[^/]+)\/(revision|tree|resolve)\/?(.*)$/,
    ) ?? [];
    const repository = repositories[`${kind ?? "models/"}${name}`];
    // Like the real hub: what does not exist is "not authorised" to a stranger.
    const asked = request.headers.get("authorization");
    if (repository === undefined) {
      return Response.json({ error: "Repository not found" }, { status: asked ? 404 : 401 });
    }
    if (repository.token !== undefined && asked !== `Bearer ${repository.token}`) {
      return Response.json({ error: "Access is restricted" }, { status: 403 });
    }
    const entry = (path: string) => {
      const content = repository.files[path];
      const file = { type: "file", path, size: bytesOf(content).length, oid: hashOf(content) };
      if (typeof content === "string") return file;
      // As the hub does: the object id is the pointer's.
      return { ...file, oid: "9".repeat(40), lfs: { oid: file.oid, size: file.size } };
    };
    if (api && verb === "revision") {
      return Response.json({ _id: "1", id: name, sha: repository.revision, lastModified: 0 });
    }
    if (api && verb === "tree") {
      return Response.json(Object.keys(repository.files).map(entry));
    }
    const file = rest.slice(rest.indexOf("/") + 1);
    if (verb !== "resolve" || !(file in repository.files)) {
      return new Response("no such entry", {
        status: 404,
        headers: { "x-error-code": "EntryNotFound" },
      });
    }
    const bytes = bytesOf(repository.files[file]);
    const headers = {
      etag: `"${hashOf(repository.files[file])}"`,
      "content-type": "application/octet-stream",
    };
    const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get("range") ?? "");
    if (range !== null && !hub.ignoresRanges) {
      const first = Number(range[1]);
      if (first >= bytes.length) return new Response(null, { status: 416 });
      const part = bytes.slice(first, range[2] === "" ? bytes.length : Number(range[2]) + 1);
      hub.bytesSent += part.length;
      const end = first + part.length - 1;
      return new Response(part.slice(0, part.length - hub.cutOff), {
        status: 206,
        headers: { ...headers, "content-range": `bytes ${first}-${end}/${bytes.length}` },
      });
    }
    hub.bytesSent += bytes.length;
    return new Response(bytes.slice(0, bytes.length - hub.cutOff), { headers });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const hub: FakeHub = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    requests,
    cutOff: 0,
    ignoresRanges: false,
    bytesSent: 0,
    close: () => server.shutdown(),
  };
  return hub;
}

/** A BERT's description and vocabulary, as small as they can be. */
export const tinyConfig = JSON.stringify({
  model_type: "bert",
  vocab_size: 5,
  hidden_size: 8,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  intermediate_size: 16,
});
export const tinyVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";

/** No waiting between tries. */
export const patience: HubSettings["patience"] = { wait: () => Promise.resolve() };

/** Runs a test with a fake hub, an empty cache folder and settings that point to both. */
export async function withFakeHub(
  repositories: Record<string, FakeRepository>,
  test: (hub: FakeHub, settings: HubSettings) => Promise<void>,
): Promise<void> {
  await withFolder(async (cacheFolder) => {
    const hub = startFakeHub(repositories);
    try {
      await test(hub, { endpoint: hub.endpoint, cacheFolder, offline: false, patience });
    } finally {
      await hub.close();
    }
  });
}

/** An address at which nobody answers. */
export function closedEndpoint(): string {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const endpoint = `http://127.0.0.1:${closed.addr.port}`;
  closed.close();
  return endpoint;
}

/** Settings for a hub at which nobody answers, with a cache folder of their own. */
export async function withoutHub(test: (settings: HubSettings) => Promise<void>): Promise<void> {
  const endpoint = closedEndpoint();
  await withFolder((cacheFolder) => test({ endpoint, cacheFolder, offline: false }));
}

/** Puts files into a folder, making the folders between. */
export async function putFiles(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name);
    await Deno.mkdir(dirname(path), { recursive: true });
    if (typeof content === "string") await Deno.writeTextFile(path, content);
    else await Deno.writeFile(path, content);
  }
}
