/** The page's own files, which are all that it asks for. */
import { UserError } from "../models/errors.ts";
import { type Base, baseFiles, readBase } from "./lab/base.ts";

/** A file beside the page. Throws a UserError where it cannot be had. */
export async function fetchFile(path: string): Promise<Blob> {
  let response: Response;
  try {
    response = await fetch(path);
  } catch (cause) {
    throw new UserError(`Cannot get ${path}: the page's server does not answer.`, { cause });
  }
  if (!response.ok) throw new UserError(`Cannot get ${path}: answer ${response.status}.`);
  return await response.blob();
}

/** The built-in model. */
export async function fetchBase(): Promise<Base> {
  const files = baseFiles.map(async (name) => [name, await fetchFile(`mini/${name}`)] as const);
  return await readBase({ name: "mini", origin: "built-in" }, new Map(await Promise.all(files)));
}
