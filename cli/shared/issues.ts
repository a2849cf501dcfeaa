/** What is wrong with JSON that a schema refuses, as the part of a sentence. */
import * as v from "valibot";
import { harmless, messageOf } from "../../models/errors.ts";

/** The first mistake: `"test.count" is missing`, `"labels": Invalid type: Expected string but received 3`. */
export function issueOf([issue]: readonly [v.BaseIssue<unknown>, ...unknown[]]): string {
  const path = v.getDotPath(issue);
  const where = path === null ? "it" : `"${path}"`;
  return issue.received === "undefined" ? `${where} is missing` : `${where}: ${issue.message}`;
}

/** Why a file could not be read, of whatever was thrown, without a full stop. */
export const reasonOf = (error: unknown): string =>
  error instanceof v.ValiError ? issueOf(error.issues) : harmless(messageOf(error));
