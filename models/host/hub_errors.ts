/** What went wrong between us and the hub, in words that say what to do. */
import { HubApiError } from "@huggingface/hub";
import { messageOf, UserError } from "../errors.ts";
import type { Repository } from "./hub.ts";
import type { HubSettings } from "./settings.ts";
import { systemReason } from "./system_error.ts";
import { WriteError } from "./write.ts";

/** The hub did not give what was asked of it. */
export class HubError extends UserError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "HubError";
  }
}

/** The hub could not be reached, or not in a state to answer: the one failure that defaults survive. */
export class HubUnreachable extends HubError {
  constructor(message: string, options: { cause?: unknown } = {}) {
    super(message, options);
    this.name = "HubUnreachable";
  }
}

/** The message of what lies at the bottom: `fetch failed` alone helps nobody. */
export function reason(error: unknown): string {
  let bottom = error;
  while (bottom instanceof Error && bottom.cause !== undefined) bottom = bottom.cause;
  return messageOf(bottom).replace(/^error sending request for url \([^)]*\): /, "");
}

/** Name and password of the addresses in a text taken out. */
export function withoutSecrets(text: string): string {
  return text.replace(/[^/\s'"(]*@/g, "");
}

/** A request that got no answer. */
export class NetworkFailure extends Error {
  constructor(cause: unknown) {
    super(reason(cause), { cause });
    this.name = "NetworkFailure";
  }
}

/** The host that a request may not reach, such as `cdn.example:443`, where that is why it failed. */
function forbiddenHost(error: unknown): string | undefined {
  return /^Requires net access to "([^"]*)"/.exec(reason(error))?.[1];
}

/** What to do about a cache folder that cannot be read or written. */
const otherCache = "HF_HUB_CACHE names another folder.";

/** Turns what the file system says of the cache folder into a `UserError` that names it. */
export function explainCacheError(error: unknown, { cacheFolder }: HubSettings): unknown {
  const why = systemReason(error);
  return why === undefined
    ? error
    : new UserError(`Cannot read the cache folder ${cacheFolder}: ${why}. ${otherCache}`, {
      cause: error,
    });
}

/** Turns whatever the hub package threw into a `UserError` that names the way out. */
export function explainHubError(
  error: unknown,
  { type, name }: Repository,
  { endpoint: address, token, cacheFolder }: HubSettings,
): UserError {
  const endpoint = withoutSecrets(address);
  if (error instanceof UserError && !(error instanceof WriteError)) return error;
  // Of what could not be written the system's error is the cause: the advice is another here.
  const cause = error instanceof WriteError ? error.cause : error;
  const what = type === "model" ? "model" : "data set";
  if (error instanceof HubApiError) {
    const { statusCode } = error;
    // The hub answers 401, not 404, for what does not exist, so as not to betray private names.
    if (statusCode === 401 || statusCode === 403) {
      return new HubError(
        token === undefined
          ? `The ${what} ${name} does not exist on ${endpoint}, or it is private or gated ` +
            `(answer ${statusCode}). Check the spelling; for a private or gated one set HF_TOKEN.`
          : `HF_TOKEN gives no access to the ${what} ${name} on ${endpoint} (answer ${statusCode}), ` +
            `or it does not exist. Check the spelling and the token, and accept the repository's ` +
            `terms on its page where it is gated.`,
        { cause },
      );
    }
    if (statusCode === 404) {
      return new HubError(
        `The ${what} ${name} does not exist on ${endpoint}. Check the spelling.`,
        { cause },
      );
    }
    return new HubUnreachable(`${endpoint} answered ${statusCode} when asked for ${name}.`, {
      cause,
    });
  }
  const why = error instanceof NetworkFailure ? undefined : systemReason(cause);
  if (why !== undefined) {
    return new UserError(
      `Cannot store ${name} in the cache folder ${cacheFolder}: ${why}. ${otherCache}`,
      { cause },
    );
  }
  const host = forbiddenHost(error);
  if (host !== undefined) {
    return new HubUnreachable(
      `Cannot get ${name} from ${endpoint}: it leads to ${host}, which this program may not ` +
        `reach. The hosts that it may reach stand in deno.json under "permissions"; HF_ENDPOINT ` +
        `adds a mirror's.`,
      { cause },
    );
  }
  return new HubUnreachable(
    `Cannot get ${name} from ${endpoint} (${withoutSecrets(reason(error))}).`,
    { cause },
  );
}
