"""Scores the prefixes of a text one after another with the reference runtime, and prints one line of JSON.

    python reference_stream.py ARTIFACT_DIR PREFIXES.json
"""

import json
import sys
import time

import torch
from siren_guard import SirenGuard

artifact, prefixes = sys.argv[1:]
with open(prefixes, encoding="utf-8") as file:
    texts = json.load(file)
guard = SirenGuard.from_pretrained(artifact, device="cpu", dtype=torch.float32)
guard.score_streaming(texts[0])
started = time.perf_counter()
scores = [guard.score_streaming(text).score for text in texts]
print(json.dumps({"seconds": time.perf_counter() - started, "scores": scores}))
