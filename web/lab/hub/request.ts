/**
 * Requests of a page to the Hugging Face hub, made where the reader asks for them: nothing goes with them but the name
 * of what is asked for, no cookie, no token, no address of the page.
 */
import { formatBytes } from "../../../engine/bytes.ts";
import { messageOf, UserError } from "../../../models/errors.ts";
import { hexOf } from "../../../models/files/hex.ts";
import { HubAnswer, HubError, HubFault, HubUnreachable } from "../../../models/hub/errors.ts";
import type { Repository, RepositoryFile } from "../../../models/hub/repository.ts";

/** The one hub that the page's content policy allows, with the hosts that it keeps files on. */
export const endpoint = "https://huggingface.co";

const host = new URL(endpoint).host;

/** A fetch that ends with the signal, and throws a HubAnswer where the hub refuses. */
export function hubFetch(signal: AbortSignal): typeof fetch {
  return async (input, init = {}) => {
    const response = await fetch(input, {
      ...init,
      signal,
      credentials: "omit",
      referrerPolicy: "no-referrer",
    }).catch((cause) => {
      if (signal.aborted) throw cause;
      throw new HubUnreachable(`${host} cannot be reached.`, { cause });
    });
    if (response.ok) return response;
    await response.body?.cancel();
    throw new HubAnswer(response.status, response.headers.get("x-error-code"));
  };
}

/** Whether bytes are those that the hub lists: SHA-256 of a large file, git's SHA-1 of another. */
async function hasHash(content: Blob, hash: string): Promise<boolean> {
  if (hash.length === 64) {
    return hexOf(await crypto.subtle.digest("SHA-256", await content.arrayBuffer())) === hash;
  }
  const blob = new Blob([`blob ${content.size}\0`, content]);
  return hexOf(await crypto.subtle.digest("SHA-1", await blob.arrayBuffer())) === hash;
}

/** Fetches a file, of the size and the hash that the hub lists; `heard` is told of bytes as they come. */
export async function fetchListed(
  url: string,
  { path, size, hash }: RepositoryFile,
  signal: AbortSignal,
  heard: (bytes: number) => void,
): Promise<Blob> {
  const response = await hubFetch(signal)(url);
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  const reader = response.body!.getReader();
  for (;;) {
    const { done, value } = await reader.read().catch((cause) => {
      if (signal.aborted) throw cause;
      throw new HubUnreachable(
        `The connection to ${host} broke after ${formatBytes(bytes)} of ${path}.`,
        { cause },
      );
    });
    if (done) break;
    bytes += value.length;
    if (bytes > size) break;
    pieces.push(value);
    heard(value.length);
  }
  if (bytes !== size) {
    await reader.cancel().catch(() => {}); // the connection may be gone
    throw new HubFault(`${formatBytes(bytes)} of ${path} instead of ${formatBytes(size)}`);
  }
  const content = new Blob(pieces);
  if (!(await hasHash(content, hash))) throw new HubFault(`other bytes of ${path} than it lists`);
  return content;
}

function refusal({ status }: HubAnswer, what: string): string {
  if (status === 401 || status === 403) {
    return `There is no ${what} on ${host}, or it is private or gated, and this page has no account ` +
      `there (answer ${status}). Check the spelling, or download its files and choose them here.`;
  }
  if (status === 404) return `There is no ${what} on ${host} (answer 404). Check the spelling.`;
  return `${host} answered ${status} when asked for the ${what}. Try again later.`;
}

/** What went wrong, as a UserError; that a signal ended it is thrown as it is. */
export function explained(error: unknown, { type, name }: Repository): unknown {
  const what = `${type === "model" ? "model" : "data set"} ${name}`;
  if (error instanceof UserError && !(error instanceof HubUnreachable)) return error;
  if (error instanceof DOMException && error.name === "AbortError") return error;
  if (error instanceof HubAnswer) return new HubError(refusal(error, what), { cause: error });
  if (error instanceof HubUnreachable) {
    return new HubError(
      `Cannot get the ${what}: ${error.message} Is this machine online? What was fetched before is kept.`,
      { cause: error },
    );
  }
  if (error instanceof HubFault) {
    return new HubError(
      `${host} sends what cannot be trusted when asked for the ${what}: ${error.message}. ` +
        `Nothing of it is used.`,
      { cause: error },
    );
  }
  return new HubError(
    `${host} does not answer as a hub does when asked for the ${what} (${messageOf(error)}).`,
    { cause: error },
  );
}
