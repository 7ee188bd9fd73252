"""FDDB: true positive rate against false positives, discrete and continuous score.

Jain and Learned-Miller 2010, "FDDB: A Benchmark for Face Detection in Unconstrained Settings".
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mien.datasets.fddb import FOLDS, read_fddb
from mien.datasets.samples import Progress, no_progress
from mien.errors import BadImage, BadOption, MienError
from mien.evaluation.detections import read_fddb_text
from mien.evaluation.metrics.roc import ImageMatches, RocCurve, match_ellipses, require_scipy, roc_curve
from mien.evaluation.plots import plot_roc
from mien.evaluation.protocols.result import (
    DetectionModel,
    DetectionResult,
    require_readable,
    require_samples,
    run_detector,
)
from mien.imaging.io import image_size

FALSE_POSITIVES = (100, 500, 1000, 2000)
"""Numbers of false positives at which the rates over all images are given."""

FOLD_FALSE_POSITIVES = 100
"""Number of false positives at which the rates of a fold are given."""


@dataclass(frozen=True, slots=True, eq=False)
class FddbResult(DetectionResult):
    """True positive rates on FDDB: the ``curve`` over all images, as the official program draws it, and per fold."""

    curve: RocCurve
    folds: tuple[RocCurve, ...]

    def to_dict(self) -> dict[str, object]:
        """Return the numbers for JSON."""
        return {
            "dataset": "fddb",
            "detector": self.name,
            "images": len(self.detections),
            "faces": self.curve.faces,
            "rates": [_rates(self.curve, limit) for limit in FALSE_POSITIVES],
            "folds": [_rates(curve, FOLD_FALSE_POSITIVES) | {"faces": curve.faces} for curve in self.folds],
        }

    def plot(self, path: Path | str) -> None:
        """Write the ROC curves as PNG. Raises MissingExtra without matplotlib."""
        plot_roc({self.name: self.curve}, path)


def evaluate_fddb(
    data: Path | str, model: DetectionModel, *, name: str = "mien", progress: Progress = no_progress
) -> FddbResult:
    """Score a detector on FDDB.

    Args:
        data: Folder with ``FDDB-folds``, and the images in it or in ``originalPics``.
        model: A detector, its detections by image (``2002/08/11/big/img_591``), or a file or folder of detections.
        name: Name of the model, for legends.

    Raises:
        MissingExtra: scipy is not installed. This is checked before the model runs.
        BadAnnotation: The folds are missing, or detections lack an image.
        BadImage, BadOption.
    """
    require_scipy()
    dataset = read_fddb(data)
    require_samples(dataset)
    sizes: dict[str, tuple[int, int]] = {}
    unreadable: list[MienError] = []
    for sample in dataset:
        try:
            sizes[dataset.name(sample)] = image_size(sample.path)  # the lists do not give it
        except BadImage as problem:
            unreadable.append(problem)
    require_readable(len(sizes), unreadable)
    samples = {dataset.name(sample): sample for sample in dataset}
    detections, problems = run_detector(model, {name: samples[name].path for name in sizes}, progress, read_fddb_text)
    matches: dict[int, list[ImageMatches]] = {fold: [] for fold in range(1, FOLDS + 1)}
    for image, faces in detections.items():
        sample = samples[image]
        matches[sample.fold].append(match_ellipses(sample.ellipses, faces, sizes[image]))
    curve = roc_curve([match for fold in matches.values() for match in fold])
    if not curve.faces:
        raise BadOption(f"there is no face in {len(detections)} images; give FDDB's annotated folds")
    folds = tuple(roc_curve(fold) for fold in matches.values())
    return FddbResult(name, dataset.problems, (*unreadable, *problems), detections, curve, folds)


def _rates(curve: RocCurve, limit: int) -> dict[str, float]:
    return {"false_positives": limit, "discrete": curve.discrete_at(limit), "continuous": curve.continuous_at(limit)}
