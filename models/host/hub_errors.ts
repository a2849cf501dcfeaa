/** What went wrong between us and the hub, in words that say what to do. */
import { counted, messageOf, UserError } from "../errors.ts";
import { HubAnswer, HubError, HubFailing, HubFault, HubUnreachable } from "../hub/errors.ts";
import type { Repository } from "../hub/repository.ts";
import { withoutPassword, withoutSecrets } from "./secrets.ts";
import type { HubSettings } from "./settings.ts";
import { systemReason } from "./system_error.ts";
import { WriteError } from "./write.ts";

/** Seconds; who is asked to wait longer is told "later". */
const aDay = 86_400;

/** The message of what lies at the bottom: `fetch failed` alone helps nobody. */
export function reason(error: unknown): string {
  let bottom = error;
  while (bottom instanceof Error && bottom.cause !== undefined) bottom = bottom.cause;
  return messageOf(bottom).replace(/^error sending request for url \([^)]*\): /, "");
}

/**
 * No name for the host, nobody at its address, or no way there: in words, and by the numbers of Linux, macOS and
 * Windows; with a port that no fetch may ask, as 9, where nobody answers either.
 */
const absence =
  /\bdns error\b|requests to port \d+ are blocked|connection refused|(network|host) is (unreachable|down)|no route to host|tcp connect error: .*timed out|os error (5[01]|6[145]|10[01]|11[0123]|1005[01]|1006[015]|11001)\)/i;

/** A request that got no answer, or not all of it. */
export class NetworkFailure extends Error {
  override name = "NetworkFailure";
  /** Whether there is nobody to answer, as without a network. */
  readonly absent: boolean;

  constructor(cause: unknown, absent = absence.test(reason(cause))) {
    super(reason(cause), { cause });
    this.absent = absent;
  }

  /** Whether another try may get further at once: a connection that broke, not one that is refused or silent. */
  get passes(): boolean {
    return !this.absent &&
      /reset|closed|broken pipe|connection error|incomplete/i.test(this.message);
  }
}

/** The host that a request may not reach, such as `cdn.example:443`, where that is why it failed. */
function forbiddenHost(error: unknown): string | undefined {
  return /^Requires net access to "([^"]*)"/.exec(reason(error))?.[1];
}

/** What to do about a cache folder that cannot be read or written. */
export const otherCache = "HF_HUB_CACHE names another folder.";

/** Turns what the file system says of the cache folder into a `UserError` that names it. */
export function explainCacheError(error: unknown, { cacheFolder }: HubSettings): unknown {
  const why = systemReason(error);
  return why === undefined
    ? error
    : new UserError(`Cannot read the cache folder ${cacheFolder}: ${why}. ${otherCache}`, {
      cause: error,
    });
}

const nameOf = ({ type, name }: Repository) => `${type === "model" ? "model" : "data set"} ${name}`;

/** What a refusal means. */
function explainAnswer(
  { status, code, retryAfter }: HubAnswer,
  repository: Repository,
  endpoint: string,
  token: string | undefined,
): HubError {
  const what = nameOf(repository);
  const { type, name } = repository;
  if (status === 401 || status === 403) {
    if (code === "GatedRepo") {
      const page = `${endpoint}/${type === "dataset" ? "datasets/" : ""}${name}`;
      return new HubError(
        `The ${what} is gated (answer ${status}). Accept its terms on ${page}` +
          (token === undefined ? ", and set HF_TOKEN." : "; HF_TOKEN alone is not enough."),
      );
    }
    // The hub answers 401, not 404, for what does not exist, so as not to betray private names.
    return new HubError(
      token === undefined
        ? `The ${what} does not exist on ${endpoint}, or it is private or gated (answer ${status}). ` +
          `Check the spelling; for a private or gated one set HF_TOKEN.`
        : `HF_TOKEN gives no access to the ${what} on ${endpoint} (answer ${status}), or it does not ` +
          `exist. Check the spelling and the token, and accept the repository's terms on its page ` +
          `where it is gated.`,
    );
  }
  if (status === 404) {
    return new HubError(
      code === "EntryNotFound"
        ? `${endpoint} lists a file of the ${what} that it does not have (answer 404).`
        : `The ${what} does not exist on ${endpoint}. Check the spelling.`,
    );
  }
  if (status === 429) {
    const when = retryAfter && retryAfter <= aDay
      ? `in ${counted(Math.ceil(retryAfter), "second")}`
      : "later";
    const known = token === undefined ? " With HF_TOKEN set the hub takes more of them." : "";
    return new HubFailing(
      `${endpoint} takes no more requests for now (answer 429 for ${name}). Try again ${when}.${known}`,
    );
  }
  return new HubFailing(
    `${endpoint} answered ${status} when asked for ${name}` +
      (status >= 500 ? ", four times. Try again later." : "."),
  );
}

/** What a connection means that was not made, or that broke. */
function explainNetwork(failure: NetworkFailure, name: string, endpoint: string): HubError {
  const why = withoutSecrets(failure.message);
  if (failure.absent) return new HubUnreachable(`Cannot get ${name} from ${endpoint} (${why}).`);
  return new HubFailing(
    /certificate/i.test(why)
      ? `The certificate of ${endpoint} is not trusted (${why}). Where an organisation's proxy ` +
        `stands between, DENO_TLS_CA_STORE=system trusts those that the system trusts.`
      : `Cannot get ${name} from ${endpoint} (${why}). Try again later.`,
  );
}

function explanation(
  error: unknown,
  repository: Repository,
  { endpoint: address, token, cacheFolder }: HubSettings,
): UserError {
  const { name } = repository;
  const endpoint = withoutPassword(address);
  // Of what could not be written the system's error is the cause: the advice is another here.
  const cause = error instanceof WriteError ? error.cause : error;
  const host = forbiddenHost(error);
  if (host !== undefined) {
    return new HubError(
      `Cannot get ${name} from ${endpoint}: it leads to ${host}, which this program may not ` +
        `reach. The hosts that it may reach stand in deno.json under "permissions"; HF_ENDPOINT ` +
        `adds a mirror's.`,
    );
  }
  if (error instanceof HubAnswer) return explainAnswer(error, repository, endpoint, token);
  if (error instanceof NetworkFailure) return explainNetwork(error, name, endpoint);
  if (error instanceof HubFault) {
    return new HubFailing(
      `${endpoint} sends what cannot be trusted when asked for ${name}: ` +
        `${withoutSecrets(error.message)}. Nothing of it is used.`,
    );
  }
  const why = systemReason(cause);
  if (why !== undefined) {
    return new UserError(
      `Cannot store ${name} in the cache folder ${cacheFolder}: ${why}. ${otherCache}`,
    );
  }
  // What JavaScript says where a field is missing is about our own code.
  const what = error instanceof TypeError
    ? ""
    : ` (${withoutSecrets(reason(error)).slice(0, 200)})`;
  return new HubFailing(`${endpoint} does not answer as a hub does when asked for ${name}${what}.`);
}

/** Turns whatever a request or a download threw into a `UserError` that names the way out. */
export function explainHubError(
  error: unknown,
  repository: Repository,
  settings: HubSettings,
): UserError {
  if (error instanceof UserError && !(error instanceof WriteError)) return error;
  const explained = explanation(error, repository, settings);
  explained.cause = error;
  return explained;
}
