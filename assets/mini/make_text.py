"""Makes text.txt, the sentences that mini is distilled on, from the training parts of two data sets.

    python make_text.py ../sample/emotions.csv goemotions/train.tsv tweet_emotions.csv text.txt

The two files are named in README.md. Handles, links and GoEmotions' placeholders such as [NAME], endless words and
pictures drawn in Braille dots are dropped, and so is what remains of fewer than two words. Of the tweets, which have
no parts, a tenth by the hash of the text stays out as a test part. No sentence of the built-in sample is taken, and
none twice. Of the 77,580 sentences that are left, the first 32,768 in the order of their hashes are written.
"""

import csv
import hashlib
import html
import re
import sys

COUNT = 32_768
DROPPED = re.compile(r"@\w+|https?://\S+|www\.\S+|\[[A-Z]+\]|\w{20,}|[\u2800-\u28ff]+")


def clean(text: str) -> str:
    return " ".join(DROPPED.sub(" ", html.unescape(text)).split())


def key(text: str) -> str:
    return re.sub(r"\W+", " ", text.lower()).strip()


def is_test(tweet: str) -> bool:
    return hashlib.sha256(key(tweet).encode()).digest()[0] % 10 == 0


def main(sample: str, goemotions: str, tweets: str, output: str) -> None:
    with open(sample, encoding="utf-8", newline="") as file:
        seen = {key(clean(row["text"])) for row in csv.DictReader(file)}
    with open(goemotions, encoding="utf-8") as file:
        texts = [line.split("\t")[0] for line in file]
    with open(tweets, encoding="utf-8", newline="") as file:
        texts += [row["text"] for row in csv.DictReader(file) if not is_test(clean(row["text"]))]
    kept = []
    for text in map(clean, texts):
        if len(text.split()) < 2 or key(text) in seen:
            continue
        seen.add(key(text))
        kept.append(text)
    kept.sort(key=lambda text: hashlib.sha256(text.encode()).digest())
    with open(output, "w", encoding="utf-8") as file:
        file.writelines(f"{text}\n" for text in kept[:COUNT])
    print(f"{output}: {min(COUNT, len(kept))} of {len(kept)} sentences")


main(*sys.argv[1:])
