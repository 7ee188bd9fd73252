"""Options and output that the commands below ``mien evaluate`` share."""

from __future__ import annotations

import argparse
from pathlib import Path

from mien.cli.console import Complaints, note_left_out, say
from mien.cli.options import make_detector
from mien.evaluation.detections import write_json
from mien.evaluation.plots import require_matplotlib
from mien.evaluation.protocols import FddbResult, KeypointResult, WiderResult
from mien.evaluation.protocols.result import DetectionModel, Result
from mien.schema import to_json_line


def detection_model(args: argparse.Namespace) -> tuple[DetectionModel, str]:
    """Return the detector that the options ask for, or the path of ``--detections``; and its name."""
    if args.plot is not None:
        require_matplotlib()
    given: Path | None = args.detections
    return (make_detector(args), "mien") if given is None else (given, given.stem)


def deliver(args: argparse.Namespace, result: WiderResult | FddbResult | KeypointResult, text: str) -> int:
    """Write and print a result, as ``text`` or JSON; return the exit status."""
    if args.save is not None:
        write_json(args.save, result.detections)
    if args.plot is not None:
        result.plot(args.plot)
    say(to_json_line(result.to_dict()) if args.json else text)
    return report_problems(result)


def report_problems(result: Result) -> int:
    """Print what could not be used; return the exit status, 1 when an image or prediction could not be read."""
    note_left_out(result.skipped)
    complaints = Complaints()
    for problem in result.problems:
        complaints.add(problem)
    return complaints.status
