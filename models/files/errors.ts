/**
 * A mistake that the user can put right: a wrong flag, an unreadable file, a model of another kind.
 * The terminal shows the message alone, without a stack trace, and ends with `exitCode`: 2 for wrong
 * use of the command line, 1 for everything else.
 */
export class UserError extends Error {
  readonly exitCode: number;

  constructor(message: string, options: { exitCode?: number; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "UserError";
    this.exitCode = options.exitCode ?? 1;
  }
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
