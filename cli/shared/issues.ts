/** What is wrong with JSON that a schema refuses, as the part of a sentence. */
import * as v from "valibot";
import { harmless, messageOf } from "../../models/errors.ts";

/** The first mistake: `"test.count" is missing`, `"labels": Invalid type: Expected string but received 3`. */
export function issueOf([issue]: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  const path = v.getDotPath(issue);
  const { message, received } = issue;
  if (path === null) return shortened(message);
  return received === "undefined" ? `"${path}" is missing` : `"${path}": ${shortened(message)}`;
}

/** A message without the rest of a long text that it quotes. */
const shortened = (text: string): string =>
  harmless(text.length <= 300 ? text : `${text.slice(0, 250)}…`);

/** Why a file could not be read, of whatever was thrown, without a full stop. */
export const reasonOf = (error: unknown): string =>
  error instanceof v.ValiError ? issueOf(error.issues) : shortened(messageOf(error));
