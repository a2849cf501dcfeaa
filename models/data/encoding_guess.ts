/** Which encoding bytes that are no UTF-8 are probably in: by the characters that are frequent in it. */
import { decode } from "./encodings.ts";

/** One of these where no further byte beyond ASCII stands beside it. */
const alone = (...characters: string[]) =>
  new RegExp(`(?<![\\x80-\\xff])(?:${characters.join("|")})(?![\\x80-\\xff])`, "g");

/**
 * Frequent characters, as bytes, a character each: kana and the first level's kanji; the first levels of Chinese
 * characters and of Hangul; words of Cyrillic small letters; accented letters and the usual marks, alone between
 * ASCII, of Windows and of old Macs; Polish, Czech and Hungarian letters. Of two that explain as many bytes the first is taken: what is Hangul in EUC-KR is Chinese in GBK.
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
    alone(
      String.raw`[\x91-\x97]?[\xdf-\xf6\xf8-\xff]{1,2}`,
      String.raw`[\x80\x85\x91-\x97\xa0\xa1\xa3\xa7\xa9-\xab\xae\xb0\xb4\xb7\xbb\xbf]`,
      String.raw`(?<![a-z])[\xc0-\xd6\xd8-\xde](?=[a-z ])`,
    ),
  ],
  [
    "macintosh",
    alone(String.raw`(?<=[a-z ])\xd5?[\x87-\x9f\xa7]{1,2}`, String.raw`[\xa3\xd0-\xd5\xdb]`),
  ],
  [
    "windows-1250",
    /[\x9a\x9c-\x9f\xb3\xb9\xbf\xe1\xe6\xe8-\xea\xec\xed\xef\xf1-\xf3\xf5\xf8-\xfb\xfd]|(?<![a-z])[\x8a\x8c\x8e\x8f\xa3\xa5\xaf\xc6\xc8\xca\xd1\xd3\xd8]/g,
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

/** Below this share of the bytes an encoding is not told, and of fewer bytes than these not one alone. */
const least = { share: 0.8, bytes: 40 };

/** The likely encodings of lines that are no UTF-8, the likeliest first; none where it cannot be told. */
export function guessEncodings(bytes: Uint8Array): string[] {
  const text = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  const japanese = shareOf(text, eucKana) > 0.2 ? shareOf(text, eucJapanese) : 0;
  const found = [
    { encoding: "euc-jp", share: japanese },
    ...frequent.map(([encoding, characters]) => ({ encoding, share: shareOf(text, characters) })),
  ].filter(({ encoding, share }) => share >= least.share && isValid(bytes, encoding));
  const [best, ...others] = found.toSorted((a, b) => b.share - a.share);
  if (best === undefined) return [];
  const few = bytes.filter((byte) => byte >= 0x80).length < least.bytes;
  const alike = few && asian.includes(best.encoding)
    ? others.filter(({ encoding, share }) => share === best.share && asian.includes(encoding))
    : [];
  return [best, ...alike].map(({ encoding }) => encoding);
}

/** Their characters lie at the same places: a few do not tell one from another. */
const asian = ["euc-kr", "gbk", "big5"];

function isValid(bytes: Uint8Array, encoding: string): boolean {
  try {
    decode(bytes, encoding);
    return true;
  } catch {
    return false;
  }
}
