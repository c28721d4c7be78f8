"""Random labelled scores, and what scikit-learn and scipy make of them.

    python3 -m venv venv && venv/bin/pip install scikit-learn
    venv/bin/python packages/evaluate/golden/make_golden.py

Writes rankings.json and drifts.json beside itself. Macro F1 is the mean of both classes' F1 (labels=[0, 1],
zero_division=0); a class that is absent from the labels makes it undefined here, whatever scikit-learn says.
"""

import json
import platform
from pathlib import Path

import numpy as np
import scipy
import sklearn
from scipy import stats
from sklearn.calibration import calibration_curve
from sklearn.metrics import (
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
    roc_curve,
)

HERE = Path(__file__).parent
BINS = 15
RATES = [0.001, 0.01, 0.05, 0.1]
VERSIONS = {
    "python": platform.python_version(),
    "numpy": np.__version__,
    "scipy": scipy.__version__,
    "scikit-learn": sklearn.__version__,
}
rng = np.random.default_rng(20240607)


def separated(rows, share, overlap=1.0):
    """Scores of a guard that is right more often than not."""
    labels = (rng.random(rows) < share).astype(int)
    labels[:2] = [0, 1]
    logits = (2 * labels - 1) / overlap + rng.normal(size=rows)
    return 1 / (1 + np.exp(-logits)), labels


def rankings():
    yield "even", *separated(400, 0.5), 0.5
    yield "float32 scores", *(lambda s, y: (s.astype(np.float32).astype(float), y))(*separated(500, 0.4)), 0.5
    yield "few harmful", *separated(1500, 0.01), 0.5
    yield "few safe", *separated(600, 0.97), 0.5
    scores, labels = separated(500, 0.45)
    yield "ties to one digit", np.round(scores, 1), labels, 0.5
    yield "two scores", np.round(scores), labels, 1.0
    yield "perfect", np.where(labels == 1, 0.9, 0.1), labels, 0.5
    yield "inverted", 1 - np.where(labels == 1, 0.9, 0.1), labels, 0.5
    yield "constant", np.full(40, 0.3), labels[:40], 0.5
    yield "nothing flagged", scores * 0.4, labels, 0.5
    yield "all flagged", 0.6 + scores * 0.4, labels, 0.5
    yield "noise", rng.random(300), rng.permutation(np.repeat([0, 1], 150)), 0.7
    yield "two rows", np.array([0.2, 0.7]), np.array([0, 1]), 0.5
    yield "three rows, tied", np.array([0.5, 0.5, 0.1]), np.array([1, 0, 0]), 0.5
    yield "both ends", rng.choice([0.0, 1.0, 0.5], 80), rng.permutation(np.repeat([0, 1], 40)), 0.5
    for i in range(12):
        rows = int(rng.integers(2, 60))
        scores, labels = separated(rows, rng.random(), 3)
        yield f"random {i}", np.round(scores, int(rng.integers(1, 4))), labels, float(np.round(rng.random(), 2))


def ranking(name, scores, labels, threshold):
    flagged = (scores >= threshold).astype(int)
    f1 = f1_score(labels, flagged, labels=[0, 1], average=None, zero_division=0)
    fpr, tpr, thresholds = roc_curve(labels, scores, drop_intermediate=False)
    true, predicted = calibration_curve(labels, scores, n_bins=BINS, strategy="uniform")
    edges = np.linspace(0, 1, BINS + 1)
    counts = np.bincount(np.searchsorted(edges[1:-1], scores), minlength=BINS)
    candidates = np.unique(scores)[::-1]
    macro = [f1_score(labels, scores >= t, average="macro", labels=[0, 1], zero_division=0) for t in candidates]
    harmful = [f1_score(labels, scores >= t, zero_division=0) for t in candidates]
    at_rates = []
    for rate in RATES:
        within = np.flatnonzero(fpr[1:] <= rate)
        last = within[-1] + 1 if len(within) else None
        at_rates.append(None if last is None else {"threshold": float(thresholds[last]), "recall": float(tpr[last])})
    return {
        "name": name,
        "scores": scores.tolist(),
        "labels": labels.tolist(),
        "threshold": threshold,
        "macroF1": float(f1_score(labels, flagged, labels=[0, 1], average="macro", zero_division=0)),
        "f1Safe": float(f1[0]),
        "f1Harmful": float(f1[1]),
        "precision": float(precision_score(labels, flagged, zero_division=0)) if flagged.any() else None,
        "recall": float(recall_score(labels, flagged)),
        "auc": float(roc_auc_score(labels, scores)),
        "averagePrecision": float(average_precision_score(labels, scores)),
        "brier": float(brier_score_loss(labels, scores)),
        "expectedCalibrationError": float(np.sum(counts[counts > 0] * np.abs(true - predicted)) / len(labels)),
        "roc": {"falsePositiveRates": fpr.tolist(), "truePositiveRates": tpr.tolist()},
        "bestMacroF1": float(max(macro)),
        "bestF1Harmful": float(max(harmful)),
        "atFalsePositiveRates": at_rates,
    }


def drifts():
    scores = rng.random(300)
    yield "int4-like", scores, np.clip(scores + rng.normal(scale=0.05, size=300), 0, 1)
    yield "float32 noise", scores, np.clip(scores + rng.normal(scale=1e-7, size=300), 0, 1)
    yield "ties", np.round(scores, 1), np.round(rng.random(300), 1)
    yield "reversed", scores, 1 - scores
    yield "constant", scores, np.full(300, 0.5)
    yield "three rows", np.array([0.1, 0.6, 0.6]), np.array([0.2, 0.5, 0.9])


def drift(name, a, b):
    labels = (a + rng.normal(scale=0.3, size=len(a)) >= 0.5).astype(int)
    right_a, right_b = (a >= 0.5) == (labels == 1), (b >= 0.5) == (labels == 1)
    only_a, only_b = int(np.sum(right_a & ~right_b)), int(np.sum(~right_a & right_b))
    constant = len(np.unique(a)) == 1 or len(np.unique(b)) == 1
    test = stats.binomtest(only_a, only_a + only_b) if only_a + only_b else None
    return {
        "name": name,
        "a": a.tolist(),
        "b": b.tolist(),
        "labels": labels.tolist(),
        "pearson": None if constant else float(stats.pearsonr(a, b).statistic),
        "spearman": None if constant else float(stats.spearmanr(a, b).statistic),
        "percentiles": np.percentile(np.abs(b - a), [50, 90, 99, 99.9]).tolist(),
        "onlyARight": only_a,
        "onlyBRight": only_b,
        "pValue": 1.0 if test is None else float(test.pvalue),
    }


def write(name, cases):
    (HERE / name).write_text(json.dumps({"versions": VERSIONS, "cases": cases}) + "\n")


write("rankings.json", [ranking(*case) for case in rankings()])
write("drifts.json", [drift(*case) for case in drifts()])
