/** The YAML header of a model card, as the hub reads it. */

export type Yaml = string | number | boolean | readonly Yaml[] | { readonly [key: string]: Yaml };

/** Words that YAML 1.1, which PyYAML and the hub's older tools read, takes for something else than text. */
const notText = /^(y|n|yes|no|on|off|true|false|null|nan|inf)$/i;

/** A text in double quotes, as JSON, YAML and Python read it, without a character that a terminal obeys. */
export function quotedText(text: string): string {
  const unprintable = /[\x7f-\xa0\u2028-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/g;
  return JSON.stringify(text).replace(unprintable, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

/** A text: as it is where no reader can take it for anything else. */
function scalar(text: string): string {
  return /^[A-Za-z][\w./-]*$/.test(text) && !notText.test(text) ? text : quotedText(text);
}

function inline(value: Yaml): string | undefined {
  if (typeof value === "string") return scalar(value);
  if (typeof value !== "object") return String(value);
  if (Object.keys(value).length === 0) return Array.isArray(value) ? "[]" : "{}";
  return undefined;
}

function block(value: Yaml, indent: string): string[] {
  const whole = inline(value);
  if (whole !== undefined) return [`${indent}${whole}`];
  if (Array.isArray(value)) {
    return value.flatMap((item: Yaml) => {
      const [first, ...rest] = block(item, `${indent}  `);
      return [`${indent}- ${first.slice(indent.length + 2)}`, ...rest];
    });
  }
  return Object.entries(value).flatMap(([key, item]) => {
    const short = inline(item);
    return short === undefined
      ? [`${indent}${scalar(key)}:`, ...block(item, `${indent}  `)]
      : [`${indent}${scalar(key)}: ${short}`];
  });
}

/** The lines of a header, between its rules; fields that are undefined are left out. */
export function frontMatter(fields: Record<string, Yaml | undefined>): string[] {
  const given: Record<string, Yaml> = {};
  for (const [key, value] of Object.entries(fields)) if (value !== undefined) given[key] = value;
  return ["---", ...block(given, ""), "---"];
}
