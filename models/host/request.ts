/**
 * Requests to the hub that trust no answer: the token goes to the endpoint's own address alone, redirects stay on the
 * web and on TLS, answers have bounds in bytes and seconds, and what passes (429, 5xx, a broken connection) is asked again.
 */
import { formatBytes } from "../../engine/bytes.ts";
import { NetworkFailure } from "./hub_errors.ts";
import { HubAnswer, HubFault } from "../hub/errors.ts";
import { withoutSecrets } from "./secrets.ts";
import type { HubSettings } from "./settings.ts";

/** How long is waited for what. */
export interface Patience {
  /** Seconds that a server has to begin its answer. */
  answerWithin: number;
  /** Seconds without a byte, after which a body counts as stalled. */
  stallAfter: number;
  wait(seconds: number): Promise<void>;
}

export function patienceOf({ patience }: HubSettings): Patience {
  return {
    answerWithin: 15,
    stallAfter: 30,
    wait: (seconds) => new Promise((resolve) => setTimeout(resolve, seconds * 1000)),
    ...patience,
  };
}

/** Times that a request is made again, and the most seconds that a server may ask to wait before. */
const retries = 3;
const longestWait = 60;

const mostRedirects = 10;

/** Bytes of an answer that is no file: of a page of 1000 entries the hub sends some 300 kB. */
const mostAnswerBytes = 32e6;

/** Requests of one question: 1000 files a page. */
const mostRequests = 200;

/** Whether somebody takes connections at an address, answers or not. */
async function listens({ hostname, port, protocol }: URL, seconds: number): Promise<boolean> {
  const attempt = Deno.connect({
    hostname: hostname.replace(/^\[|\]$/g, ""),
    port: Number(port) || (protocol === "https:" ? 443 : 80),
  }).then((connection) => (connection.close(), true), () => false);
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), seconds * 1000);
  });
  return await Promise.race([attempt, patience]).finally(() => clearTimeout(timer));
}

async function answerOf(url: URL, init: RequestInit, settings: HubSettings): Promise<Response> {
  const { answerWithin } = patienceOf(settings);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), answerWithin * 1000);
  try {
    return await fetch(url, { ...init, signal: silence.signal });
  } catch (error) {
    if (!silence.signal.aborted) throw new NetworkFailure(error);
    const silent = new Error(`no answer within ${answerWithin} seconds`);
    throw new NetworkFailure(silent, !(await listens(url, 5)));
  } finally {
    clearTimeout(timer);
  }
}

/** Where a redirect leads. Throws a HubFault where it may not be followed. */
function targetOf(response: Response, from: URL): URL {
  const location = response.headers.get("location");
  const target = location === null ? null : URL.parse(location, from);
  if (target === null) throw new HubFault("a redirect that leads nowhere");
  if (!/^https?:$/.test(target.protocol)) {
    throw new HubFault(`a redirect to ${target.protocol.slice(0, 20)}, which is not on the web`);
  }
  if (from.protocol === "https:" && target.protocol === "http:") {
    throw new HubFault(`a redirect from https to http, at ${target.host}`);
  }
  return target;
}

/** Makes a request and follows its redirects; the token stays behind as soon as one leaves the endpoint. */
async function follow(url: string, init: RequestInit, settings: HubSettings): Promise<Response> {
  const home = new URL(settings.endpoint);
  let target = new URL(url);
  let left = false;
  for (let hop = 0; hop <= mostRedirects; hop++) {
    left ||= target.origin !== home.origin;
    target.username = left ? "" : home.username;
    target.password = left ? "" : home.password;
    const headers = new Headers(init.headers);
    if (left) headers.delete("authorization");
    const response = await answerOf(target, { ...init, headers, redirect: "manual" }, settings);
    if (![301, 302, 303, 307, 308].includes(response.status)) return response;
    await response.body?.cancel();
    target = targetOf(response, target);
  }
  throw new HubFault(`more than ${mostRedirects} redirects one after the other`);
}

/** Seconds that a server asks to wait (RFC 9110, 10.2.3), if it does. */
function retryAfter({ headers }: Response): number | undefined {
  const text = headers.get("retry-after")?.trim();
  if (text === undefined) return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  const seconds = (Date.parse(text) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, Math.ceil(seconds));
}

/** Headers that ask for a file as it is: of one that is compressed on its way no part can be had. */
export function fileHeaders({ token }: HubSettings): Record<string, string> {
  const headers = { "accept-encoding": "identity" };
  return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
}

const passes = (status: number) => status === 429 || status >= 500;

/**
 * Makes a GET request, again where it fails for a reason that passes. Throws a HubAnswer where the server refuses, a
 * NetworkFailure where there is no answer, a HubFault where it may not be followed. The caller reads or cancels the body.
 */
export async function requestHub(
  url: string,
  init: RequestInit,
  settings: HubSettings,
): Promise<Response> {
  const { wait } = patienceOf(settings);
  for (let tries = 0;; tries++) {
    let failure: HubAnswer | NetworkFailure;
    let asked: number | undefined;
    try {
      const response = await follow(url, init, settings);
      if (response.ok) return response;
      asked = retryAfter(response);
      failure = new HubAnswer(response.status, response.headers.get("x-error-code"), asked);
      await response.body?.cancel();
      if (!passes(response.status)) throw failure;
    } catch (error) {
      if (!(error instanceof NetworkFailure) || !error.passes) throw error;
      failure = error;
    }
    const seconds = asked ?? 2 ** tries;
    if (tries === retries || seconds > longestWait) throw failure;
    if (seconds > 0) {
      const { host } = new URL(url);
      settings.report?.(
        `${host}: ${withoutSecrets(failure.message)}; asking again in ${seconds} s.`,
      );
    }
    await wait(seconds);
  }
}

/** A body piece by piece. Throws a NetworkFailure where it breaks off or stalls. */
export async function* piecesOf(
  { body }: Response,
  settings: HubSettings,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const { stallAfter } = patienceOf(settings);
  const reader = body.getReader();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const stalled = new Promise<never>((_, reject) => {
        const error = new Error(`not a byte for ${stallAfter} seconds`);
        timer = setTimeout(() => reject(error), stallAfter * 1000);
      });
      let piece: ReadableStreamReadResult<Uint8Array>;
      try {
        piece = await Promise.race([reader.read(), stalled]);
      } catch (error) {
        throw new NetworkFailure(error, false);
      } finally {
        clearTimeout(timer);
      }
      if (piece.done) return;
      yield piece.value;
    }
  } finally {
    reader.cancel().catch(() => {}); // broken already
  }
}

/** A body of at most so many bytes. Throws a HubFault where there are more, and what {@link piecesOf} throws. */
async function readWhole(response: Response, most: number, settings: HubSettings) {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  let bytes = 0;
  for await (const piece of piecesOf(response, settings)) {
    bytes += piece.length;
    if (bytes > most) throw new HubFault(`an answer of more than ${formatBytes(most)}`);
    pieces.push(piece as Uint8Array<ArrayBuffer>);
  }
  return await new Blob(pieces).bytes();
}

/**
 * A `fetch` of {@link requestHub}'s kind for one question to the hub, whose answers come whole: at most `most` bytes.
 */
export function hubFetch(settings: HubSettings, most = mostAnswerBytes): typeof fetch {
  let requests = 0;
  return async (input, init = {}) => {
    if (++requests > mostRequests) {
      throw new HubFault(`a listing that does not end after ${mostRequests} pages`);
    }
    const url = input instanceof Request ? input.url : String(input);
    for (let tries = 0;; tries++) {
      const response = await requestHub(url, init, settings);
      try {
        const bytes = await readWhole(response, most, settings);
        const { status, headers } = response;
        return new Response(bytes.length > 0 ? bytes : null, { status, headers });
      } catch (error) {
        if (!(error instanceof NetworkFailure) || tries === retries) throw error;
        await patienceOf(settings).wait(2 ** tries);
      }
    }
  };
}
