from dataclasses import dataclass
from typing import Literal

import pytest

from mien.errors import BadOption
from mien.options import build, info, option, validate


@dataclass(frozen=True)
class Inner:
    rate: float = option(0.5, "a rate", minimum=0, maximum=1)

    def __post_init__(self):
        validate(self)


@dataclass(frozen=True)
class Outer:
    count: int = option(3, "a count", unit="pixels", minimum=1)
    mode: Literal["a", "b"] = option("a", "a mode")
    sizes: tuple[int, ...] = option((1, 2), "sizes", minimum=1)
    limit: float | None = option(None, "a limit", minimum=0)
    flag: bool = option(True, "a flag")
    inner: Inner = Inner()

    def __post_init__(self):
        validate(self)


def test_build_nested():
    assert build(Outer, {}, "x") == Outer()
    built = build(Outer, {"count": 4, "sizes": [5], "limit": 2, "inner": {"rate": 1}}, "x")
    assert built == Outer(4, "a", (5,), 2, True, Inner(1))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cuont": 4}, "x: unknown option 'cuont'; did you mean 'count'"),
        ({"zzz": 4}, "unknown option 'zzz'; known options: count, mode"),
        ({"count": "4"}, "count='4': must be a whole number"),
        ({"count": True}, "count=True: must be a whole number"),
        ({"count": 0}, r"count=0: must be at least 1 \(pixels\)"),
        ({"mode": "c"}, "mode='c': must be 'a' or 'b'"),
        ({"sizes": [1, "2"]}, "sizes=.*: must be a list, each a whole number"),
        ({"sizes": [0]}, "sizes=.*: must be at least 1"),
        ({"limit": "none"}, "limit='none': must be a number or None"),
        ({"limit": float("nan")}, "limit=nan: must be at least 0"),
        ({"flag": 1}, "flag=1: must be true or false"),
        ({"inner": {"rate": 2}}, "rate=2: must be between 0 and 1"),
        ({"inner": 3}, "x, inner: 3 is not a table of options"),
    ],
)
def test_errors_name_the_option(values, message):
    with pytest.raises(BadOption, match=message):
        build(Outer, values, "x")


def test_help_is_stored_with_the_field():
    about = info(Outer.__dataclass_fields__["count"])
    assert (about.help, about.unit, about.bounds) == ("a count", "pixels", "at least 1 (pixels)")
    assert info(Outer.__dataclass_fields__["inner"]) is None
