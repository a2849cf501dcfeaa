/**
 * A tiny Hugging Face hub on 127.0.0.1 that takes uploads, and beside it, as another host, the storage that
 * large files go to: git LFS's basic transfer, or what of Xet's protocol an upload asks.
 */
import { createHash } from "node:crypto";

export interface UploadHubOptions {
  /** The one token that may write. */
  token: string;
  /** What is there already: visibility, and paths by branch. */
  repositories?: Record<string, { private: boolean; branches: Record<string, string[]> }>;
  transfer?: "basic" | "xet";
  /** Answers a request, by `METHOD /path`, instead of what follows. */
  instead?: (request: string, storage: string) => Response | undefined;
}

export interface Commit {
  repository: string;
  branch: string;
  summary: string;
  /** Content by path: of large files their sha256, as `sha256:…`. */
  files: Record<string, string>;
}

export interface UploadHub {
  endpoint: string;
  storage: string;
  /** `METHOD /path` of every request to the hub so far. */
  requests: string[];
  /** Authorization headers that the storage has seen. */
  storageAuthorizations: string[];
  created: { name: string; visibility?: string }[];
  branches: string[];
  commits: Commit[];
  /** Large files in the storage by sha256, of the basic transfer; bodies by path, of Xet. */
  stored: Map<string, Uint8Array>;
  close(): Promise<void>;
}

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const casToken = "xet-token-of-the-storage";

interface Operation {
  key: string;
  value: { summary?: string; path: string; content: string; oid: string; algo?: string };
}

/** Starts a hub and a storage. */
export function startUploadHub(options: UploadHubOptions): UploadHub {
  const { token, repositories = {}, transfer = "basic", instead } = options;
  const stored = new Map<string, Uint8Array>();
  const storageAuthorizations: string[] = [];
  const storing = async (request: Request): Promise<Response> => {
    const authorization = request.headers.get("authorization");
    if (authorization !== null) storageAuthorizations.push(authorization);
    const { pathname } = new URL(request.url);
    // Xet asks whether a piece is known; what a hub redirects here needs a token that does not come.
    if (pathname.startsWith("/api")) return Response.json({ error: "Who?" }, { status: 403 });
    if (request.method === "GET") return Response.json({}, { status: 404 });
    const bytes = await request.bytes();
    stored.set(request.method === "PUT" ? sha256(bytes) : pathname, bytes);
    return Response.json({});
  };
  const listen = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
  const storageServer = Deno.serve(listen, storing);
  const storage = `http://127.0.0.1:${storageServer.addr.port}`;

  const answer = async (request: Request): Promise<Response> => {
    const path = decodeURIComponent(new URL(request.url).pathname);
    const line = `${request.method} ${path}`;
    hub.requests.push(line);
    const other = instead?.(line, storage);
    if (other !== undefined) {
      await request.body?.cancel();
      return other;
    }
    if (request.headers.get("authorization") !== `Bearer ${token}`) {
      return Response.json({ error: "Invalid username or password." }, { status: 401 });
    }
    if (line === "POST /api/repos/create") {
      const { organization, name, visibility } = await request.json();
      hub.created.push({ name: `${organization}/${name}`, visibility });
      repositories[`${organization}/${name}`] = {
        private: visibility === "private",
        branches: { main: [".gitattributes"] },
      };
      return Response.json({ url: `${hub.endpoint}/${organization}/${name}`, id: "1" });
    }
    const [, name, verb, revision] = path.match(
      /^\/(?:api\/models\/)?([^/]+\/[^/]+?)(?:\/(revision|preupload|commit|branch)\/(.+)|\.git\/info\/lfs\/objects\/batch)$/,
    ) ?? [];
    const repository = repositories[name];
    if (repository === undefined) {
      return Response.json({ error: "Repository not found" }, { status: 404 });
    }
    const { branches } = repository;
    if (verb === "revision") {
      const files = branches[revision === "HEAD" ? "main" : revision];
      if (files === undefined) return Response.json({ error: "Invalid rev id" }, { status: 404 });
      const siblings = files.map((rfilename) => ({ rfilename }));
      const { private: isPrivate } = repository;
      return Response.json({ _id: "1", id: name, private: isPrivate, lastModified: 0, siblings });
    }
    if (verb === "branch") {
      branches[revision] = [...branches.main];
      hub.branches.push(revision);
      return Response.json({});
    }
    if (verb === "preupload") {
      const { files } = await request.json() as { files: { path: string }[] };
      const mode = (path: string) => path.endsWith(".safetensors") ? "lfs" : "regular";
      return Response.json({ files: files.map(({ path }) => ({ path, uploadMode: mode(path) })) });
    }
    if (verb === undefined) {
      const { objects } = await request.json() as { objects: { oid: string; size: number }[] };
      const header = transfer === "basic" ? undefined : {
        "X-Xet-Cas-Url": storage,
        "X-Xet-Access-Token": casToken,
        "X-Xet-Token-Expiration": String(Math.floor(Date.now() / 1000) + 3600),
      };
      const href = (oid: string) => `${storage}/signed/${oid}`;
      return Response.json({
        transfer,
        objects: objects.map((object) => ({
          ...object,
          actions: { upload: { href: href(object.oid), header } },
        })),
      });
    }
    const operations: Operation[] = (await request.text()).trim().split("\n").map((line) =>
      JSON.parse(line)
    );
    const files: Commit["files"] = {};
    for (const { key, value } of operations) {
      if (key === "file") {
        files[value.path] = new TextDecoder().decode(Uint8Array.fromBase64(value.content));
      }
      if (key === "lfsFile") files[value.path] = `${value.algo}:${value.oid}`;
    }
    const summary = operations.find(({ key }) => key === "header")?.value.summary ?? "";
    hub.commits.push({ repository: name, branch: revision, summary, files });
    branches[revision] = Object.keys(files);
    return Response.json({
      success: true,
      commitOid: "c".repeat(40),
      commitUrl: "",
      hookOutput: "",
    });
  };
  const server = Deno.serve(listen, answer);
  const hub: UploadHub = {
    endpoint: `http://127.0.0.1:${server.addr.port}`,
    storage,
    requests: [],
    storageAuthorizations,
    created: [],
    branches: [],
    commits: [],
    stored,
    close: async () => {
      await server.shutdown();
      await storageServer.shutdown();
    },
  };
  return hub;
}

/** Runs a test with such a hub. */
export async function withUploadHub(
  options: UploadHubOptions,
  test: (hub: UploadHub) => Promise<void>,
): Promise<void> {
  const hub = startUploadHub(options);
  try {
    await test(hub);
  } finally {
    await hub.close();
  }
}
