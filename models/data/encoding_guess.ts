/** Which encoding bytes that are no UTF-8 are probably in: by the characters that are frequent in it. */
import { decode } from "./encodings.ts";

/**
 * Frequent characters, as bytes, a character each: kana and the first level's kanji; the first levels of Chinese
 * characters and of Hangul; words of Cyrillic small letters; single accented letters and the usual marks between
 * ASCII. Of two that explain as many bytes the first is taken: what is Hangul in EUC-KR is Chinese in GBK.
 */
const frequent: [encoding: string, characters: RegExp][] = [
  [
    "shift_jis",
    /\x82[\x9f-\xf1]|\x83[\x40-\x96]|[\x88-\x97][\x40-\x7e\x80-\xfc]|\x81[\x40-\x7e\x80-\xac]/g,
  ],
  ["euc-kr", /[\xb0-\xc8][\xa1-\xfe]|[\xa1\xa3][\xa1-\xfe]/g],
  ["gbk", /[\xb0-\xd7][\xa1-\xfe]|[\xa1\xa3][\xa1-\xfe]/g],
  ["big5", /[\xa4-\xc6][\x40-\x7e\xa1-\xfe]|\xa1[\x40-\x7e\xa1-\xfe]/g],
  ["windows-1251", /[\xc0-\xdf\xa8]?[\xe0-\xff\xb8]{2,}|\b[\xe0-\xff]\b/g],
  ["koi8-r", /[\xe0-\xff\xb3]?[\xc0-\xdf\xa3]{2,}/g],
  [
    "windows-1252",
    /(?<![\x80-\xff])(?:[\xe0-\xf6\xf8-\xff\xdf\x80\x85\x91-\x97\xa0\xa1\xa3\xa7\xa9-\xab\xae\xb0\xb4\xb7\xbb\xbf]|[\xc0-\xd6\xd8-\xde](?=[a-z ]))(?![\x80-\xff])/g,
  ],
];

/** Hiragana and katakana of EUC-JP; its kanji lie where GBK's and EUC-KR's first levels do. */
const eucKana = /[\xa4\xa5][\xa1-\xf6]/g;
const eucJapanese = /[\xa4\xa5][\xa1-\xf6]|[\xb0-\xcf][\xa1-\xfe]|\xa1[\xa1-\xfe]/g;

/** How much of what is not ASCII the frequent characters explain, from 0 to 1. */
function shareOf(text: string, characters: RegExp): number {
  const high = (part: string) => part.replace(/\p{ASCII}+/gu, "").length;
  const explained = text.match(characters) ?? [];
  return explained.reduce((sum, part) => sum + high(part), 0) / high(text);
}

/** Below this share the encoding is not told. */
const least = 0.8;

/** The likely encoding of lines that are no UTF-8; undefined where it cannot be told. */
export function guessEncoding(bytes: Uint8Array): string | undefined {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const japanese = shareOf(text, eucKana) > 0.2 ? shareOf(text, eucJapanese) : 0;
  const found = [
    { encoding: "euc-jp", share: japanese },
    ...frequent.map(([encoding, characters]) => ({ encoding, share: shareOf(text, characters) })),
  ].filter(({ encoding, share }) => share >= least && isValid(bytes, encoding));
  return found.toSorted((a, b) => b.share - a.share)[0]?.encoding;
}

function isValid(bytes: Uint8Array, encoding: string): boolean {
  try {
    decode(bytes, encoding);
    return true;
  } catch {
    return false;
  }
}
