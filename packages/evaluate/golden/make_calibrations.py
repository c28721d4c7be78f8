"""Random labelled scores, and what scikit-learn's sigmoid calibration and scipy's Wilson interval make of them.

    python3 -m venv venv && venv/bin/pip install scikit-learn
    venv/bin/python packages/evaluate/golden/make_calibrations.py

Writes calibrations.json beside itself. `slope` and `offset` are scikit-learn's -a and -b. Its optimizer stops early, so they
are refined here with scipy on the same smoothed targets; `sklearn` holds what scikit-learn returned.
"""

import json
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy.optimize import minimize
from scipy.special import expit, logit
from scipy.stats import binomtest
from sklearn.calibration import _sigmoid_calibration

rng = np.random.default_rng(20240611)


def refined(logits, labels, start):
    harmful = labels.sum()
    safe = len(labels) - harmful
    targets = np.where(labels == 1, (harmful + 1) / (harmful + 2), 1 / (safe + 2))

    def loss(x):
        z = x[0] * logits + x[1]
        error = expit(z) - targets
        value = np.mean(np.logaddexp(0, z) - targets * z)
        return value, np.array([np.mean(error * logits), np.mean(error)])

    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-12, "maxiter": 1000})
    return found.x


def case(name, logits, labels):
    scores = expit(logits)
    a, b = _sigmoid_calibration(logit(scores), labels)
    slope, offset = refined(logit(scores), labels, [-a, -b])
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "slope": slope,
        "offset": offset,
        "sklearn": {"slope": -a, "offset": -b},
    }


def drawn(name, rows, slope, offset, spread):
    logits = rng.normal(0, spread, rows)
    labels = (rng.random(rows) < expit(slope * logits + offset)).astype(int)
    return case(name, logits, labels)


cases = [
    drawn("overconfident", 300, 0.3, 0, 4),
    drawn("underconfident", 300, 3, 0, 0.5),
    drawn("shifted", 300, 1, -2, 2),
    drawn("few harmful", 200, 1, -3, 1.5),
    drawn("no relation", 200, 0, 0.5, 2),
    case("separated", np.linspace(-5, 5, 60), (np.linspace(-5, 5, 60) > 0.7).astype(int)),
    case("inverted", np.linspace(-3, 3, 60), (np.linspace(-3, 3, 60) < 0.2).astype(int)),
]
intervals = []
for count, of in [(0, 10), (1, 10), (10, 10), (45, 50), (333, 1000)]:
    found = binomtest(count, of).proportion_ci(0.95, method="wilson")
    intervals.append({"count": count, "of": of, "low": found.low, "high": found.high})
versions = {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__}
text = json.dumps({"versions": versions, "cases": cases, "intervals": intervals}, indent=1)
(Path(__file__).parent / "calibrations.json").write_text(text + "\n")
