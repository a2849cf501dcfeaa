/** HTML from templates: whatever is put into one is escaped, unless it is HTML already. */

/** HTML that may stand in a page as it is. */
export class Html {
  constructor(readonly text: string) {}
}

export type Content = Html | string | number | undefined | false | readonly Content[];

const escapes: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/**
 * Text in which what HTML has no place for, control characters and halves of characters, is U+FFFD, as is what turns the
 * order of what follows it around.
 */
export function wellFormed(text: string): string {
  // deno-lint-ignore no-control-regex
  const obeyed = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
  return text.toWellFormed().replace(obeyed, "\ufffd");
}

/** Text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return wellFormed(text).replace(/[&<>"']/g, (character) => escapes[character]);
}

function render(content: Content): string {
  if (content === undefined || content === false) return "";
  if (content instanceof Html) return content.text;
  if (Array.isArray(content)) return content.map(render).join("");
  return escapeHtml(String(content));
}

/** A piece of a page: markup`<p title="${text}">${pieces}</p>`. */
export function markup(parts: TemplateStringsArray, ...contents: Content[]): Html {
  return new Html(parts.reduce((text, part, index) => text + render(contents[index - 1]) + part));
}
