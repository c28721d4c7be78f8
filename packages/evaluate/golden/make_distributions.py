"""Two lists of scores each, and how far scipy finds their distributions apart.

    python3 -m venv venv && venv/bin/pip install scipy
    venv/bin/python packages/evaluate/golden/make_distributions.py

Writes distributions.json beside itself. The population stability index is the sum of both Kullback-Leibler divergences
of the histograms (20 bins, half a row added to each).
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import entropy, ks_2samp

BINS = 20


def case(name, before, now):
    before, now = np.round(before, 4), np.round(now, 4)
    shares = []
    for scores in (before, now):
        rows = np.bincount(np.minimum((scores * BINS).astype(int), BINS - 1), minlength=BINS)
        shares.append((rows + 0.5) / (len(scores) + 0.5 * BINS))
    a, b = shares
    return {
        "name": name,
        "before": before.tolist(),
        "now": now.tolist(),
        "kolmogorovSmirnov": float(ks_2samp(before, now).statistic),
        "populationStability": float(entropy(a, b) + entropy(b, a)),
    }


random = np.random.default_rng(7)
FEW = [0.05, 0.33, 0.5, 1.0]
cases = [
    case("shifted", random.beta(0.5, 2, 40), random.beta(0.7, 2, 55)),
    case("of one law", random.beta(0.4, 0.4, 60), random.beta(0.4, 0.4, 30)),
    case("apart", random.uniform(0, 0.2, 12), random.uniform(0.8, 1, 9)),
    case("ties", random.choice(FEW, 50), random.choice(FEW, 50, p=[0.1, 0.2, 0.3, 0.4])),
]
versions = {"python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__}
target = Path(__file__).parent / "distributions.json"
target.write_text(json.dumps({"versions": versions, "cases": cases}, indent=1) + "\n")
