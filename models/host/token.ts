/** The hub's token: what lets this program write in a user's name. */
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { isMissing } from "./files.ts";
import { keepSecret } from "./secrets.ts";
import { type HubSettings, huggingFaceHome, isToken } from "./settings.ts";

/**
 * The token of HF_TOKEN, else of the file that `hf auth login` writes (HF_TOKEN_PATH, else `token` in HF_HOME),
 * as Python's `huggingface_hub` finds it. Throws a UserError where there is none, and where it is not one.
 */
export async function hubToken(
  { token, endpoint }: HubSettings,
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): Promise<string> {
  if (token !== undefined) return token;
  const path = read("HF_TOKEN_PATH")?.trim() || join(huggingFaceHome(read), "token");
  let text: string;
  try {
    text = (await Deno.readTextFile(path)).trim();
  } catch (cause) {
    throw new UserError(
      isMissing(cause)
        ? `There is no token: neither is HF_TOKEN set, nor is there a file ${path}, which ` +
          `hf auth login writes. Make one that may write at ${endpoint}/settings/tokens.`
        : `The token in ${path} cannot be read.`,
      { cause },
    );
  }
  keepSecret(text);
  if (!isToken(text)) {
    throw new UserError(`${path} holds no token of the hub, which starts with "hf_".`);
  }
  return text;
}
