"""Makes vocab.txt: a lower-case WordPiece vocabulary of 6,000 entries. Run once; the result is committed.

    pip install tokenizers==0.22.1
    python make_vocab.py ../sample/emotions.csv goemotions/train.tsv tweet_emotions.csv

The last two files are named in ../README.md. Handles, links and GoEmotions' placeholders such as
[NAME], endless words and pictures drawn in Braille dots are dropped. The sample counts five times,
so that its words are mostly whole tokens. Two runs differ in the order of equally frequent entries.
"""

import csv
import html
import re
import string
import sys
from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.trainers import WordPieceTrainer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
DROPPED = re.compile(r"@\w+|https?://\S+|www\.\S+|\[[A-Z]+\]|\w{20,}|[\u2800-\u28ff]+")


def texts(sample: str, goemotions: str, tweets: str):
    with open(sample, encoding="utf-8", newline="") as file:
        rows = [row["text"] for row in csv.DictReader(file)]
    yield from rows * 5
    with open(goemotions, encoding="utf-8") as file:
        yield from (line.split("\t")[0] for line in file)
    with open(tweets, encoding="utf-8", newline="") as file:
        yield from (row["text"] for row in csv.DictReader(file))


def main() -> None:
    tokenizer = Tokenizer(WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = BertPreTokenizer()
    trainer = WordPieceTrainer(
        vocab_size=6000,
        min_frequency=2,
        special_tokens=SPECIAL,
        limit_alphabet=160,
        initial_alphabet=sorted(set(string.printable.lower()) - set(string.whitespace)),
        show_progress=False,
    )
    cleaned = (DROPPED.sub(" ", html.unescape(text)) for text in texts(*sys.argv[1:]))
    tokenizer.train_from_iterator(cleaned, trainer)
    vocabulary = tokenizer.get_vocab()
    assert [vocabulary[token] for token in SPECIAL] == [0, 1, 2, 3, 4]
    lines = sorted(vocabulary, key=vocabulary.get)
    path = Path(__file__).with_name("vocab.txt")
    path.write_text("".join(f"{token}\n" for token in lines), encoding="utf-8")
    print(f"{path}: {len(lines)} tokens")


main()
