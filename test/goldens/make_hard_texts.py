"""Texts over all planes of Unicode and their ids by Python's tokenizers, into tokenizer_hard.json.

BERT's normalizer in all its settings over a vocabulary of the very letters that the texts have, so that a letter that is
kept, dropped, lowered or cut off wrongly shows; and a byte-level BPE, `tokenizers/byte_bpe`. Needs only `tokenizers`.
"""

from __future__ import annotations

import itertools
import json
import random
import unicodedata
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

GOLDENS = Path(__file__).parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
SETTINGS = [
    {"lowercase": lower, "strip_accents": strip, "handle_chinese_chars": chinese}
    for lower, strip, chinese in itertools.product((True, False), (None, True, False), (True, False))
]

PLAIN = [
    "ΣΑΣ ὈΔΥΣΣΕΎΣ Σ", "İstanbul ıI Iğdır", "ﬁne Straße ẞ ǅ Ǆ ŉ", "\U00016ea0\U00016eb8 \ua7ce\ua7d2\ua7d4",
    "a𠀀b\U0002a700c\U0002b740d\U0002b820e\U0002b920f\U0002ceb0g\U00030000h\U00031350i\U0002f800j\uf900k\u3400l",
    "👨\u200d👩\u200d👧 🏳\ufe0f\u200d🌈 👍🏽 🇩🇪 🫠🫨 ❤\ufe0f 1\ufe0f\u20e3 🏴\U000e0067\U000e007f",
    "e\u0301 a\u0323\u0302 a\u0302\u0323 \u0f71\u0f72\u0f74 \u0345\u0334 q\u0307\u0323",
    "x\u0897y\u1abfz\u1acea\U0001e2aeb\U0001e4ecc\U00010efdd\u1734e\U0001171ef",  # marks newer, and older, than a table
    "a\u2e52b\u1b7dc\u166dd\U000111c9e\U00011fffg\u061dh", "a\u08e2b\U00013430c\U000110cdd\u0890e\u061cf\u00adg",
    "\U00011938 \U000105c9 \U00011383\U000113c5 \U00016121\U00016128 \U00016d68", "각각한글 ㄱ ﾡ",
    "\ud7ff\ue000\uf8ff\ufdd0\ufffe\uffff\ufffd\U0001fffe\U000f0000\U0010ffffa", "a\x00b\x1cc\x0bd\x0ce\x85f\x7fg\x9fh",
    "a\u00a0b\u1680c\u2003d\u2028e\u202ff\u3000g\ufeffh\u180ei\u200bj", "مَرْحَبًا בְּרֵאשִׁית \u200fא\u202bב\u2067ג",
    "हिन्दी ไทย ক্ষ தமிழ் မြန်မာ ខ្មែរ བོད", "𝒳𝟛 Ⅷ ½ ² ٣ ①", "$+<=>^`|~ ¢£ ‐–—―− «» ‹› „‟ ′″ ¿¡ ⸘ 、。・「」",
]  # fmt: skip


def groups() -> list[list[str]]:
    """Characters by what they are, as far as this Python knows."""
    by_category: dict[str, list[str]] = {}
    every = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
    for character in every:
        by_category.setdefault(unicodedata.category(character), []).append(character)
    cased = [c for c in every if len(c.lower()) > 1 or len(c.upper()) > 1] + list("Σςσİıǅΐᾳ")
    taken_apart = [c for c in every if unicodedata.decomposition(c)[:1] not in ("", "<")]
    return [
        cased, taken_apart, by_category["Mn"], by_category["Mc"] + by_category["Me"], by_category["Cf"], by_category["Cc"],
        by_category["Zs"] + ["\u2028", "\u2029", "\n"], [c for key in "cdefios" for c in by_category["P" + key]],
        by_category["Lu"], by_category["Lo"], by_category["Nd"] + by_category["No"], by_category["So"], every,
        [" "], [" "], list("abcABCé"), ["'s", "'ll", "  ", "\n\n", "12", "_"], SPECIAL[3:] + ["<mask>", " </s>"],
    ]  # fmt: skip


def texts(count: int, seed: int) -> list[str]:
    draw, kinds = random.Random(seed), groups()
    strings = []
    for _ in range(count):
        some = draw.choices(kinds, k=draw.randint(2, 4))
        strings.append("".join(draw.choice(draw.choice(some)) for _ in range(draw.randint(2, 12))))
    return strings


def bert(strings: list[str]) -> dict:
    letters = sorted({letter for text in strings for letter in unicodedata.normalize("NFD", text) + text + text.lower()})
    letters = [letter for letter in letters if not letter.isspace()]
    tokens = [*SPECIAL, *letters, *("##" + letter for letter in letters)]
    vocabulary = {token: id for id, token in enumerate(tokens)}
    cases = []
    for index, settings in enumerate(SETTINGS):
        tokenizer = Tokenizer(WordPiece(vocabulary, unk_token="[UNK]"))
        tokenizer.normalizer = BertNormalizer(**settings)
        tokenizer.pre_tokenizer = BertPreTokenizer()
        tokenizer.add_special_tokens(SPECIAL)
        # The settings of all BERTs get every plain text, others their share.
        own = PLAIN + strings[::3] if index == 0 else PLAIN[index % 3 :: 3] + strings[index :: len(SETTINGS)]
        cases += [{"setting": index, "text": text, "ids": tokenizer.encode(text).ids} for text in own]
    return {"letters": "".join(letters), "settings": SETTINGS, "cases": cases}


def bpe(strings: list[str]) -> list[dict]:
    tokenizer = Tokenizer.from_file(str(GOLDENS / "tokenizers" / "byte_bpe" / "tokenizer.json"))
    return [{"text": text, "ids": tokenizer.encode(text, add_special_tokens=False).ids} for text in strings]


def main() -> None:
    golden = {"bert": bert(PLAIN + texts(170, 1)), "bpe": bpe(PLAIN + texts(50, 2))}
    written = json.dumps(golden, ensure_ascii=False, separators=(",", ":")).replace('{"setting', '\n{"setting').replace('{"text', '\n{"text')
    (GOLDENS / "tokenizer_hard.json").write_text(written + "\n")


if __name__ == "__main__":
    main()
