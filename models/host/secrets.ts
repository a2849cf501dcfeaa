/** What is never shown: the tokens and passwords that this process was given. */

/** Shorter ones would be found in innocent words. */
const shortest = 6;

const secrets = new Set<string>();

/** Remembers a token or a password, whole, in its parts between spaces and line breaks, and decoded. */
export function keepSecret(value: string): void {
  const forms = [value, ...value.split(/[\s\p{Cc}]+/u), value.replace(/[\t\r\n]/g, "")];
  for (const form of forms) {
    for (const text of [form, decoded(form)]) if (text.length >= shortest) secrets.add(text);
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no percent encoding
  }
}

/** A text for a terminal or a file, with whatever secret it quotes taken out. */
export function redact(text: string): string {
  let shown = text;
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    shown = shown.replaceAll(secret, "…");
  }
  return shown;
}

/** As {@link redact}, of an error's text: name and password of the addresses in it are taken out too. */
export function withoutSecrets(text: string): string {
  return redact(text).replace(/[^/\s'"(]*@/g, "");
}

/** An address without name and password, also where it is no valid one. */
export function withoutPassword(address: string): string {
  return redact(address.replace(/^([^@]*?\/\/)?.*@/s, "$1"));
}
