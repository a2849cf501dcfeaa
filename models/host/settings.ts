/** How the hub is reached and where its files are kept, as the environment says. */
import { homedir } from "node:os";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import type { DownloadProgress } from "./download.ts";
import type { Patience } from "./request.ts";
import { keepSecret } from "./secrets.ts";

export interface HubSettings {
  /** The hub's address, without a slash at its end. */
  endpoint: string;
  /** For private and gated repositories. */
  token?: string;
  cacheFolder: string;
  /** Use the cache only, never the network. */
  offline: boolean;
  /** Hears one sentence before each download that the user may have to wait for. */
  report?: (message: string) => void;
  /** Hears how far a download is, some times a second. */
  progress?: (progress: DownloadProgress) => void;
  /** How long is waited for what; by default as long as a person would. */
  patience?: Partial<Patience>;
  /** Bytes free on a folder's disk, or undefined where that cannot be told. */
  freeBytes?: (folder: string) => Promise<number | undefined>;
}

/**
 * The folder of all programs' caches: XDG_CACHE_HOME, else ~/.cache. Where no variable names a home, as for a
 * service, it is that of the system's list of users; without one, as of a user who is not in it, /tmp, as `denow`
 * does. Never the folder that the command happens to run in.
 */
export function cacheHome(
  read: (name: string) => string | undefined,
  listed: () => string | null = homedir,
): string {
  const value = (name: string) => read(name)?.trim() || undefined;
  const home = () => {
    try {
      return listed() || undefined;
    } catch {
      return undefined; // not permitted, or no such user
    }
  };
  return value("XDG_CACHE_HOME") ??
    join(value("HOME") ?? value("USERPROFILE") ?? home() ?? "/tmp", ".cache");
}

/** Where Hugging Face's programs keep what is theirs: HF_HOME, else `huggingface` in {@link cacheHome}. */
export const huggingFaceHome = (read: (name: string) => string | undefined): string =>
  read("HF_HOME")?.trim() || join(cacheHome(read), "huggingface");

/** Whether a text can be a token: it goes into a request's header, so that it may have no other characters. */
export const isToken = (text: string): boolean => /^hf_[!-~]+$/.test(text);

/** Remembers a password in an address, valid or not. */
function keepEndpointSecrets(endpoint: string): void {
  const [, login = ""] = /^(?:[^@]*?\/\/)?(.*)@/s.exec(endpoint) ?? [];
  keepSecret(login);
  keepSecret(login.slice(login.indexOf(":") + 1));
}

/**
 * Reads HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE and the cache folder (HF_HUB_CACHE, else HF_HOME/hub,
 * else XDG_CACHE_HOME/huggingface/hub, else ~/.cache/huggingface/hub) as Python's `huggingface_hub`
 * does. Throws where HF_TOKEN is not a token.
 */
export function hubSettingsFromEnvironment(
  read: (name: string) => string | undefined = (name) => Deno.env.get(name),
): HubSettings {
  const value = (name: string) => read(name)?.trim() || undefined;
  const token = value("HF_TOKEN");
  const endpoint = (value("HF_ENDPOINT") ?? "https://huggingface.co").replace(/\/+$/, "");
  if (token !== undefined) keepSecret(token);
  keepEndpointSecrets(endpoint);
  if (token !== undefined && !isToken(token)) {
    throw new UserError(
      `HF_TOKEN should start with "hf_" and be of plain letters and digits. Copy the token from ` +
        `the hub's settings page, or unset HF_TOKEN.`,
    );
  }
  return {
    endpoint,
    token,
    cacheFolder: value("HF_HUB_CACHE") ?? value("HUGGINGFACE_HUB_CACHE") ??
      join(huggingFaceHome(read), "hub"),
    offline: /^(1|on|yes|true)$/i.test(value("HF_HUB_OFFLINE") ?? ""),
  };
}
