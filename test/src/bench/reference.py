"""Scores a JSONL file of texts with the reference runtime (PyPI: llm-siren 0.2.0), and prints one line of JSON.

    python reference.py ARTIFACT_DIR CORPUS.jsonl
"""

import json
import sys
import time

import torch
from siren_guard import SirenGuard

BATCH = 32

artifact, corpus = sys.argv[1:]
with open(corpus, encoding="utf-8") as file:
    texts = [json.loads(line)["text"] for line in file]
guard = SirenGuard.from_pretrained(artifact, device="cpu", dtype=torch.float32)
guard.score_batch(texts[:2])
started = time.perf_counter()
scores = []
for begin in range(0, len(texts), BATCH):
    scores += [result.score for result in guard.score_batch(texts[begin : begin + BATCH])]
print(json.dumps({"seconds": time.perf_counter() - started, "scores": scores}))
