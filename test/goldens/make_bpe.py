"""Makes byte-level BPE tokenizers, RoBERTa's kind (transformers 4, whose folders are what hubs hold).

`tokenizers/byte_bpe` has 400 tokens and all bytes, and `tokenizer_bpe.json` says what it makes of awkward texts;
`models/roberta` gets one of 64 tokens, which drops what it has no letters for.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory

from common import write_json
from encoders import GOLDENS, ROBERTA, VOCABULARY
from tokenizers import Tokenizer
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.trainers import BpeTrainer
from transformers import AutoTokenizer, RobertaTokenizerFast

BYTE_BPE = GOLDENS / "tokenizers" / "byte_bpe"
SIZE, MAX_LENGTH = 400, 16
LETTERS = "abcdefghijklmnopqrstuvwxyz.,!\u0120"  # the last is a space, as byte-level BPE writes it
SPECIAL, MASK = ["<s>", "<pad>", "</s>", "<unk>"], "<mask>"  # <mask> comes last, as in RoBERTa's vocabulary

SENTENCES = [
    "i feel happy and i am feeling loved today",
    "I'm feeling a little sad, but they're here and we've had tea.",
    "She said she'd call; he'll answer. Don't you think it's strange?",
    "The weather was cold and the streets were empty, yet nobody complained about the weather.",
    "anger is a feeling that fades, fear is a feeling that stays, joy is a feeling that is shared",
    "In 2024 there were 1234567 entries, 42 of which were wrong (see 3.14 and 2.71).",
    "naïve café owners à la carte, über straße, señor niño",
    "Привет, как дела? Мне грустно, но всё хорошо.",
    "今日は嬉しいです。今日は悲しいです。",
    "i love you 😀😀 and you love me 😀",
    "def main():\n    return feeling\n\n\tprint(feeling)\n",
    "what a wonderful, wonderful, wonderful feeling it was when the morning came",
]

TEXTS = [
    "i am happy",
    " i am happy",  # a leading space is a part of the first token
    "I AM Feeling, feeling!",  # no lower-casing
    "",
    " ",
    "   ",
    "two  spaces,   three   spaces   ",  # a word takes the last space before it
    "tabs\tand\nnew\r\nlines \n next\n\n",
    "it's they're we've I'm she'll he'd isn't 'tis I'M IT'S ’s",  # contractions, in lower case and by ' only
    "a1b22c333 ½ ² Ⅷ ٣ 1,234.5",  # \p{N} takes more than digits
    "snake_case camelCase x_y__z",  # "_" is no letter here
    "café naïve ÅNGSTRÖM cafe\u0301",  # composed and not: no normalisation
    "ﬁne Straße ǅ ʰ ª",  # letters that are neither upper nor lower case
    "Привет мир, Ελληνικά עברית हिन्दी ภาษาไทย",  # combining vowel signs are no letters
    "愛 i愛am 今日は。「嬉しい」",
    "😀 happy😀 👩‍👩‍👧 🇫🇷 ✌🏽",
    "wait...what?!?! -- (yes) [no] {a} <b> @#$%^&*",
    "no\u00a0break\u202fspace\u3000wide\u2003em\u1680ogham",  # \s takes these
    "next\u0085line\u2028line\u2029paragraph\u000bvertical\u000cform",
    "bom\ufeff \ufeff x zero\u200bwidth\u200djoiner \u180e mongol",  # not spaces here; JavaScript's \s takes \ufeff
    "sep\u001c\u001d\u001e\u001farators \u0000null \u0007bell \u007fdel \u009fc1",
    "\ufffd \ufdd0 \U0010ffff \ue000 private",
    "𝒳𝟛𠀀 astral letters and digits",
    "<s> i </s> <pad> <unk>",  # special tokens in the text are taken as such
    "a <mask> b<mask>c  \t<mask>",  # and <mask> swallows the spaces before it
    "<mask",
    "< s>",
    "Ġ Ċ ĉ ġ",  # the letters that stand for bytes are letters like others
    "happyhappyfeelingamamamamamweatherweather",
    "a" * 101,
    "i am happy, i am feeling. i am happy, i am feeling. i am happy!",
    " \n\t \u00a0 ",
    "'",
    "''s 's' 'S 'll'll",
    "x 'll y\n'll z",
]  # fmt: skip

PIECES = [
    " ", "  ", "\n", "\t", "'s", "'", "’", "a", "Happy", "feeling", "é", "e\u0301", "ß", "и", "愛", "の", "😀",
    "\u200d", "7", "½", "_", "-", "...", "\u00a0", "\u3000", "\u0085", "\ufeff", "\u0000", "\u001f",
    "<mask>", "</s>", "Ġ",
]  # fmt: skip


def mixtures(count: int) -> list[str]:
    """Pieces strung together at random, for the pairs that nobody thinks of."""
    draw = random.Random(7)
    return ["".join(draw.choices(PIECES, k=draw.randint(2, 12))) for _ in range(count)]


def train(folder: Path, sentences: list[str], size: int, alphabet: list[str]) -> None:
    """Writes a tokenizer as RobertaTokenizerFast does, without the two files that repeat what tokenizer.json holds."""
    tokenizer = Tokenizer(BPE())
    tokenizer.pre_tokenizer = ByteLevel(add_prefix_space=False)
    trainer = BpeTrainer(
        vocab_size=size - 1, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(sentences, trainer)
    with TemporaryDirectory() as made:
        vocabulary, merges = map(Path, tokenizer.model.save(made))
        tokens = json.loads(vocabulary.read_text())
        assert len(tokens) == size - 1
        vocabulary.write_text(json.dumps(tokens | {MASK: size - 1}))
        roberta = RobertaTokenizerFast(str(vocabulary), str(merges), model_max_length=32)
    folder.mkdir(parents=True, exist_ok=True)
    roberta.save_pretrained(folder)
    for name in ("vocab.json", "merges.txt"):
        (folder / name).unlink()


def main() -> None:
    train(ROBERTA.folder, SENTENCES[:1] * 2 + ["i love you, you love me!"], VOCABULARY, list(LETTERS))
    train(BYTE_BPE, SENTENCES, SIZE, ByteLevel.alphabet())

    tokenizer = AutoTokenizer.from_pretrained(BYTE_BPE)
    cases = [
        {
            "text": text,
            "ids": tokenizer(text)["input_ids"],
            "truncated": tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"],
        }
        for text in [*TEXTS, *mixtures(60)]
    ]
    write_json(GOLDENS / "tokenizer_bpe.json", {"max_length": MAX_LENGTH, "cases": cases})


if __name__ == "__main__":
    main()
