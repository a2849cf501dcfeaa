/** What went wrong in an upload to the hub, in words that say what to do. */
import { HubApiError } from "@huggingface/hub";
import { UserError } from "../errors.ts";
import { reason } from "./hub_errors.ts";
import { HubError, HubUnreachable } from "../hub/errors.ts";
import { redact, withoutPassword, withoutSecrets } from "./secrets.ts";

/** A host that large files should go to is not permitted, or one that is not the hub's asks for the token. */
export class ForeignHost extends Error {
  override name = "ForeignHost";
  readonly host: string;

  constructor(host: string, options?: ErrorOptions) {
    super(`may not reach ${host}`, options);
    this.host = host;
  }
}

export interface UploadContext {
  repository: string;
  endpoint: string;
  token: string;
  /** Whether the repository was made before it failed. */
  created: boolean;
}

/** What the hub says of a refusal, without the address and the request's number that the package adds. */
function saidBy({ message, data }: HubApiError): string {
  const said = typeof data?.error === "string" ? data.error : message.replace(/\. URL: [^]*$/, "");
  return said.replace(/\s+/g, " ").trim().slice(0, 500).replace(/[.!]*$/, "");
}

function sentence(error: unknown, { repository, endpoint: address }: UploadContext): UserError {
  const endpoint = withoutPassword(address);
  const cause = error;
  if (error instanceof ForeignHost) {
    return new HubError(
      error.cause === undefined
        ? `${endpoint} asks for the token to be sent to ${error.host}, which is another host: that is refused.`
        : `${endpoint} wants files sent to ${error.host}, which this program is not permitted to reach.`,
      { cause },
    );
  }
  if (!(error instanceof HubApiError)) {
    return new HubUnreachable(`Cannot upload to ${endpoint} (${withoutSecrets(reason(error))}).`, {
      cause,
    });
  }
  const { statusCode } = error;
  const answer = `(answer ${statusCode}: ${saidBy(error)})`;
  switch (statusCode) {
    case 401:
      return new HubError(
        `${endpoint} does not accept the token ${answer}. Make one that may write at ` +
          `${endpoint}/settings/tokens.`,
        { cause },
      );
    case 403:
      return new HubError(
        `The token gives no right to write to ${repository} ${answer}. Take one that may write, and ` +
          `a repository under your own user's or organisation's name.`,
        { cause },
      );
    case 404:
      return new HubError(
        `${endpoint} finds no ${repository}, or no user or organisation of that name ${answer}. Check ` +
          `the spelling.`,
        { cause },
      );
  }
  return statusCode < 500 && statusCode !== 429
    ? new HubError(`${endpoint} refuses the upload ${answer}.`, { cause })
    : new HubUnreachable(
      `${endpoint} is in no state to take the upload ${answer}. Try again later.`,
      { cause },
    );
}

/** Turns whatever an upload threw into a `UserError` that names the way out, and never the token. */
export function explainUploadError(error: unknown, context: UploadContext): UserError {
  if (error instanceof UserError) return error;
  const { message, name } = sentence(error, context);
  const standing = context.created
    ? ` ${context.repository} was made and is empty; nothing was committed.`
    : " Nothing was committed.";
  const text = redact(`${message}${standing}`.replaceAll(context.token, "hf_…"));
  const options = { cause: error };
  return name === "HubUnreachable"
    ? new HubUnreachable(text, options)
    : new HubError(text, options);
}
