/** What a hub's answer may turn out to be, beside what was asked for. */
import { type Remedy, UserError } from "../errors.ts";

/** The hub did not give what was asked of it. */
export class HubError extends UserError {
  override name = "HubError";

  constructor(message: string, options: { cause?: unknown; remedy?: Remedy } = {}) {
    super(message, options);
  }
}

/** The hub is there and in no state to answer, or answers what no hub answers. */
export class HubFailing extends HubError {
  override name = "HubFailing";
}

/** There is no network that leads to the hub: the one failure that defaults survive. */
export class HubUnreachable extends HubError {
  override name = "HubUnreachable";
}

/** Whether an error says nothing of the repository, so that what the cache has of it may do. */
export const isOutOfReach = (error: unknown): error is HubError =>
  error instanceof HubUnreachable || error instanceof HubFailing;

/** A refusal, by its status. */
export class HubAnswer extends Error {
  override name = "HubAnswer";
  readonly status: number;
  /** The hub's own word for it, such as `GatedRepo`. */
  readonly code: string | null;
  /** Seconds that the server asks to wait. */
  readonly retryAfter?: number;

  constructor(status: number, code: string | null = null, retryAfter?: number) {
    super(`answer ${status}`);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** Something that no honest hub sends, named by the message: `a redirect to file:`. */
export class HubFault extends Error {
  override name = "HubFault";
}
