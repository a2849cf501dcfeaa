/**
 * Upload of a model's files to the Hugging Face hub, in one commit: all of them appear, or none. Large files
 * go ahead of it to where the hub says; the token goes to the hub's own address only.
 */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { commitIter, createBranch, createRepo, HubApiError, modelInfo } from "@huggingface/hub";
import { formatBytes } from "../../engine/bytes.ts";
import { counted, UserError } from "../errors.ts";
import { quietly } from "../hub/listing.ts";
import { checkEndpoint } from "./hub.ts";
import { NetworkFailure } from "./hub_errors.ts";
import { redact, withoutPassword } from "./secrets.ts";
import type { HubSettings } from "./settings.ts";
import { explainUploadError, ForeignHost } from "./upload_errors.ts";

export interface PushedFile {
  /** In the repository, with slashes. */
  path: string;
  content: { text: string } | { file: string };
}

export interface Upload {
  /** `user/name`. */
  repository: string;
  branch: string;
  /** Make the repository a private one; one that is there must be private then. */
  private: boolean;
  /** The commit's title. */
  message: string;
  files: readonly PushedFile[];
}

export interface Uploaded {
  /** The repository's page. */
  url: string;
  /** Hash of the commit. */
  commit: string;
  /** Whether the repository was made for it. */
  created: boolean;
}

/** Bytes of a file's content. Throws what the file system throws. */
export async function sizeOfFile({ content }: PushedFile): Promise<number> {
  return "text" in content
    ? new TextEncoder().encode(redact(content.text)).length
    : (await Deno.stat(content.file)).size;
}

/** Seconds that a server has to answer, besides those that a body of so many bytes may take to arrive. */
const answerWithin = 60;
const slowestBytesPerSecond = 20_000;

function bytesIn(body: unknown): number {
  if (typeof body === "string") return body.length;
  if (body instanceof Blob) return body.size;
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body) ? body.byteLength : 0;
}

/** A fetch that gives up on a silent server, and lets the token go nowhere but to the hub. */
function guardedFetch(endpoint: string, token: string): typeof fetch {
  return async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : input);
    const headers = init?.headers ?? (input instanceof Request ? input.headers : undefined);
    const authorization = new Headers(headers).get("authorization");
    if (authorization?.includes(token) && url.origin !== new URL(endpoint).origin) {
      throw new ForeignHost(url.host);
    }
    const seconds = answerWithin + Math.ceil(bytesIn(init?.body) / slowestBytesPerSecond);
    const silence = new AbortController();
    const timer = setTimeout(
      () => silence.abort(new Error(`no answer within ${seconds} seconds`)),
      seconds * 1000,
    );
    const signal = init?.signal ? AbortSignal.any([init.signal, silence.signal]) : silence.signal;
    try {
      // A redirect elsewhere loses the token, as the fetch standard says.
      return await fetch(input, { ...init, signal });
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable) {
        throw new ForeignHost(url.host, { cause: error });
      }
      throw new NetworkFailure(error);
    } finally {
      clearTimeout(timer);
    }
  };
}

interface Access {
  hubUrl: string;
  accessToken: string;
  fetch: typeof fetch;
}

const hasStatus = (error: unknown, status: number) =>
  error instanceof HubApiError && error.statusCode === status;

/** What a branch of a repository holds; undefined where there is no such repository or branch. */
async function branchOf(name: string, revision: string, access: Access) {
  try {
    return await modelInfo({ name, revision, additionalFields: ["filePaths"], ...access });
  } catch (error) {
    // 401 is also an answer for what does not exist; to a wrong token whatever comes next says it again.
    if (hasStatus(error, 404) || hasStatus(error, 401)) return undefined;
    throw error;
  }
}

/** Files by which libraries tell what a repository holds, and load it. */
const tells = /^(base\/)?([\w-]*config\.json|[^/]*\.safetensors(\.index\.json)?)$/;

/** Refuses to mix two models: what loads one would find files of the other. */
function checkForeign(present: readonly string[], { files, repository, branch }: Upload): void {
  const sent = new Set(files.map(({ path }) => path));
  const foreign = present.filter((path) => tells.test(path) && !sent.has(path));
  if (foreign.length === 0) return;
  throw new UserError(
    `${repository} holds ${
      foreign.join(", ")
    } on its branch ${branch}, which this run has not: what ` +
      `loads the one would find the other too. Name another repository or branch.`,
  );
}

/** Makes repository and branch where they are missing; `onCreated` hears of the repository. */
async function prepare(upload: Upload, access: Access, onCreated: () => void): Promise<void> {
  const { repository, branch } = upload;
  const repo = { type: "model", name: repository } as const;
  const present = await branchOf(repository, "HEAD", access);
  if (present === undefined) {
    await createRepo({ repo, visibility: upload.private ? "private" : undefined, ...access });
    onCreated();
  } else if (upload.private && !present.private) {
    throw new UserError(
      `${repository} is there already, and public. Name another repository, or make it private on ` +
        `its page first.`,
    );
  }
  let there = branch === "main" ? present : await branchOf(repository, branch, access);
  if (there === undefined && branch !== "main") {
    await createBranch({ repo, branch, ...access });
    there = present; // a new branch begins as main is
  }
  if (there !== undefined) checkForeign(there.filePaths, upload);
}

/**
 * Uploads files in one commit to a repository of the hub, which is made where it is missing; `progress` hears of
 * large files, from 0 to 1, and `settings.report` that it begins. Throws a UserError where the hub cannot be reached or
 * refuses it.
 */
export async function uploadModel(
  upload: Upload,
  settings: HubSettings,
  token: string,
  progress: (path: string, share: number) => void = () => {},
): Promise<Uploaded> {
  const { endpoint: hubUrl, offline, report } = settings;
  const { repository, branch, files, message } = upload;
  if (offline) throw new UserError("HF_HUB_OFFLINE is set, and an upload needs the network.");
  checkEndpoint(settings);
  const url = `${withoutPassword(hubUrl)}/${repository}`;
  const access: Access = { hubUrl, accessToken: token, fetch: guardedFetch(hubUrl, token) };
  let created = false;
  try {
    return await quietly(async () => {
      await prepare(upload, access, () => created = true);
      const sizes = await Promise.all(files.map(sizeOfFile));
      const bytes = sizes.reduce((sum, size) => sum + size, 0);
      report?.(`Uploading ${counted(files.length, "file")} (${formatBytes(bytes)}) to ${url}`);
      const iterator = commitIter({
        repo: { type: "model", name: repository },
        branch,
        title: message,
        operations: files.map(({ path, content }) => ({
          operation: "addOrUpdate",
          path,
          content: "text" in content
            ? new Blob([redact(content.text)])
            : pathToFileURL(resolve(content.file)),
        })),
        ...access,
      });
      for (;;) {
        const { done, value } = await iterator.next();
        if (done) {
          if (value === undefined) throw new Error("the answer names no commit");
          return { url, commit: value.commit.oid, created };
        }
        if (value.event === "fileProgress" && value.state === "uploading") {
          progress(value.path, value.progress);
        }
      }
    });
  } catch (error) {
    throw explainUploadError(error, { repository, endpoint: hubUrl, token, created });
  }
}
