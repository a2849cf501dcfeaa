"""Makes BERT's tokenizer (64 tokens, any lower-case word by its letters), what it says of awkward texts, and
DistilBERT's, wide's and odd's, which are the same."""

from __future__ import annotations

from common import write_json
from encoders import BERT, DISTILBERT, GOLDENS, ODD, VOCABULARY, WIDE, Encoder
from transformers import AutoTokenizer, BertTokenizer, DistilBertTokenizer

LETTERS = "abcdefghijklmnopqrstuvwxyz"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *(f"##{c}" for c in LETTERS),
          ".", ",", "!", "feel", "am", "##ing", "happy"]  # fmt: skip
MAX_LENGTH = 16

TEXTS = [
    "i am happy",
    "I AM Feeling, feeling!",
    "  tabs\tand\nnewlines  ",
    "",
    "café naïve ÅNGSTRÖM",  # accents fall off
    "ﬁne Straße",  # a ligature and a sharp s: lower-casing is not NFKC
    "愛 i愛am",  # each CJK character is a word
    "wait...what?!",  # "?" is unknown, "." and "!" are not
    "don't",
    "[SEP] i [MASK]",  # special tokens in the text are taken as such
    "zero\u200bwidth \u0000null \ufffd",  # control characters vanish
    "😀 happy😀",
    "happyhappyfeelingamamamamam",  # longer than MAX_LENGTH once cut into pieces
    "a" * 101,  # over 100 characters: one [UNK]
    "i am happy, i am feeling. i am happy, i am feeling. i am happy!",
]


def save(encoder: Encoder, kind: type[BertTokenizer]) -> None:
    vocabulary = encoder.folder / "vocab.txt"
    vocabulary.write_text("\n".join(TOKENS) + "\n")
    kind(vocab=str(vocabulary), do_lower_case=True, model_max_length=32).save_pretrained(encoder.folder)


def main() -> None:
    assert len(TOKENS) == VOCABULARY
    save(BERT, BertTokenizer)
    save(DISTILBERT, DistilBertTokenizer)
    save(WIDE, BertTokenizer)
    save(ODD, BertTokenizer)

    tokenizer = AutoTokenizer.from_pretrained(BERT.folder)
    cases = [
        {
            "text": text,
            "ids": tokenizer(text)["input_ids"],
            "truncated": tokenizer(text, truncation=True, max_length=MAX_LENGTH)["input_ids"],
        }
        for text in TEXTS
    ]
    write_json(GOLDENS / "tokenizer.json", {"max_length": MAX_LENGTH, "cases": cases})


if __name__ == "__main__":
    main()
