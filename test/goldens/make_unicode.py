"""Writes models/text/unicode_tables.ts: which characters Python's tokenizers takes for what, asked one by one.

Its Rust crates carry tables of several Unicode versions, older and newer than a JavaScript engine's, so that \\p{Mn} or
\\p{P} of the engine would cut some texts in other places. Needs only `tokenizers`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import tokenizers
from tokenizers import normalizers, pre_tokenizers

TABLES = Path(__file__).parents[2] / "models" / "text" / "unicode_tables.ts"
CHARACTERS = [chr(point) for point in range(0x110000) if not 0xD800 <= point < 0xE000]
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
WIDTH = 92


def bert(**settings: bool) -> Callable[[str], str]:
    off = {"clean_text": False, "handle_chinese_chars": False, "strip_accents": False, "lowercase": False}
    return normalizers.BertNormalizer(**(off | settings)).normalize_str


def reorders(normalize: Callable[[str], str], character: str) -> bool:
    """Whether a mark has a combining class: it then changes places with one of a lower or a higher class."""
    return any(normalize(pair) != pair for pair in (character + "\u0334", "\u0345" + character))


def base36(value: int) -> str:
    return (base36(value // 36) if value > 35 else "") + DIGITS[value % 36]


def packed(test: Callable[[str], bool]) -> str:
    """Ranges as pairs in base 36: how many are not of the class, then how many are."""
    numbers, inside, count, before = [], False, 0, -1
    for character in CHARACTERS:
        gap = ord(character) - before - 1  # surrogates, which are in no class
        before = ord(character)
        if test(character) != inside or (gap and inside):
            numbers.append(count)
            inside, count = not inside, 0
        count += 1 + gap
    if inside:
        numbers.append(count)
    return " ".join(map(base36, numbers))


def constant(name: str, about: str, table: str) -> str:
    lines, line = [], ""
    for number in table.split():
        if len(line) + len(number) >= WIDTH:
            lines.append(line)
            line = ""
        line += number + " "
    lines.append(line.rstrip())
    joined = " +\n".join(f'  "{line}"' for line in lines)
    return f"/** {about} */\nexport const {name} =\n{joined};\n"


def main() -> None:
    clean, nfd = bert(clean_text=True), normalizers.NFD().normalize_str
    stripped, combining = bert(strip_accents=True), normalizers.StripAccents().normalize_str
    punctuation = pre_tokenizers.BertPreTokenizer()
    tables = [
        constant("removedCharacters", "Controls and others that cleaning a text takes out.", packed(lambda c: clean(c) == "")),
        constant("accents", "Marks that go with `strip_accents`.", packed(lambda c: stripped(c) == "")),
        constant("combiningMarks", "Marks that the normalizer StripAccents takes out.", packed(lambda c: combining(c) == "")),
        constant(
            "decomposable",
            "What NFD takes apart or puts in another order.",
            packed(lambda c: nfd(c) != c or reorders(nfd, c)),
        ),
        constant(
            "punctuation",
            "What BERT's pre-tokenizer makes a word of its own.",
            packed(lambda c: len(punctuation.pre_tokenize_str(f"a{c}b")) == 3),
        ),
    ]
    TABLES.write_text(
        "/**\n"
        f" * Classes of characters as Python's tokenizers {tokenizers.__version__} has them, made by\n"
        " * test/goldens/make_unicode.py: pairs in base 36, how many characters are not of the class, then how\n"
        " * many are.\n"
        " */\n\n" + "\n".join(tables)
    )


if __name__ == "__main__":
    main()
