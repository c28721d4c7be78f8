"""Scores a JSONL file of texts with the reference runtime (PyPI: llm-siren 0.2.0) in several settings.

Prints one line of JSON for each setting: {"dtype", "order", "batch", "seconds", "scores"}, the scores in the order of the file.

    python reference.py ARTIFACT_DIR CORPUS.jsonl
"""

import json
import sys
import time

import torch
from siren_guard import SirenGuard

artifact, corpus = sys.argv[1:]
with open(corpus, encoding="utf-8") as file:
    texts = [json.loads(line)["text"] for line in file]
in_file = list(range(len(texts)))
by_length = sorted(in_file, key=lambda i: -len(texts[i]))

# As people run it, and what is fastest on a CPU: rows of similar length in small batches.
SETTINGS = [("file", 32)] + [("length", batch) for batch in (8, 4, 2, 1)]

for dtype in ("bfloat16", "float32"):
    guard = SirenGuard.from_pretrained(artifact, device="cpu", dtype=getattr(torch, dtype))
    guard.score_batch(texts[:2])
    for order, batch in SETTINGS:
        rows = in_file if order == "file" else by_length
        scores = [0.0] * len(rows)
        started = time.perf_counter()
        for begin in range(0, len(rows), batch):
            part = rows[begin : begin + batch]
            for i, result in zip(part, guard.score_batch([texts[i] for i in part])):
                scores[i] = result.score
        seconds = time.perf_counter() - started
        print(json.dumps({"dtype": dtype, "order": order, "batch": batch, "seconds": seconds, "scores": scores}), flush=True)
