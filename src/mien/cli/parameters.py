"""Typer parameters: those that several commands share, and those made from configuration classes.

An option of a configuration class is declared once, in the class; its type, default, unit and help are read from there.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import typer

from mien.errors import BadOption
from mien.options import info
from mien.pipeline.config import AnalyzerConfig, read_toml

Command = Callable[..., int]

Paths = Annotated[
    list[str],
    typer.Argument(
        metavar="PATH",
        help="Images, folders (searched recursively), glob patterns in quotes, or - for standard input.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object per line, instead of a table.")]
ShowProgress = Annotated[
    bool | None,
    typer.Option(
        "--progress/--no-progress",
        help="Show progress on stderr: a bar on a terminal, else occasional lines. Default: for more than 5 items.",
        show_default=False,
    ),
]
MaxFaces = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Keep only the N best faces of an image.", show_default=False)
]
Draw = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write each image with its faces drawn.", show_default=False)
]
Aligned = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Write each face as an aligned PNG.", show_default=False)
]
Pts = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Write the landmarks of each face as a 300W .pts file.", show_default=False),
]
Template = Annotated[
    Literal["mxnet", "arcface"],
    typer.Option(help="Places of the keypoints: with a margin around the face, or as face recognition expects them."),
]
Size = Annotated[
    int | None,
    typer.Option(metavar="PIXELS", help="Side of an aligned face.", show_default="mxnet 144, arcface 112"),
]
Padding = Annotated[
    float | None, typer.Option(help="Margin around the mxnet template, in its sides.", show_default="0.37")
]

_COMMON_DETECTOR_OPTIONS = (
    "method",
    "min_face_size",
    "max_face_size",
    "score_threshold",
    "rotations",
    "scale_factor",
    "pnet_threshold",
    "rnet_threshold",
    "refine_keypoints",
)
"""Options of the detector with a flag; a TOML file sets the others, too."""

_NAMES = {"score_threshold": "threshold", "refine_keypoints": "lnet"}
"""Options whose flag is shorter than the field."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """One field of a configuration as a command-line option; ``key`` is its path in the configuration."""

    key: tuple[str, ...]
    name: str
    hint: Any
    default: object
    help: str
    unit: str
    panel: str

    def parameter(self) -> inspect.Parameter:
        """Return the Typer parameter; its own default is None, which means "not given"."""
        flag = "--" + self.name.replace("_", "-")
        option = typer.Option(
            *([f"{flag}/--no-{flag[2:]}"] if self.hint is bool else [flag]),
            help=self._help,
            show_default=False,
            metavar=self._metavar,
            rich_help_panel=self.panel,
        )
        kind = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, kind, default=None, annotation=Annotated[self._type | None, option])

    @property
    def _help(self) -> str:
        shown = _shown(self.default)
        return self.help[0].upper() + self.help[1:] + (f" (default: {shown})." if shown else ".")

    @property
    def _metavar(self) -> str | None:
        if self.key[0] == "models":
            return "NAME|FILE"
        if _is_list(self.hint):
            return f"{self.unit.upper() or 'NAME'},..."
        return self.unit.upper() if self.unit.isalpha() else None

    @property
    def _type(self) -> Any:
        return str if _is_list(self.hint) else self.hint

    def value(self, given: object) -> object:
        """Return the value for the configuration."""
        if not _is_list(self.hint) or not isinstance(given, str):
            return given
        item = get_args(self.hint)[0]
        try:
            return tuple(item(word.strip()) for word in given.split(","))
        except ValueError as error:
            raise BadOption(f"--{self.name.replace('_', '-')} {given}: give values with commas between") from error


def _is_list(hint: Any) -> bool:
    return get_origin(hint) is tuple


def _shown(default: object) -> str:
    """Return how ``--help`` shows a default; empty for none."""
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return ",".join(map(str, default))
    if isinstance(default, float):
        return f"{default:g}"
    return str(default) if isinstance(default, (int, str)) else ""


def _required(hint: Any) -> Any:
    """Return a type without None."""
    if get_origin(hint) in (Union, types.UnionType):
        return next(each for each in get_args(hint) if each is not type(None))
    return hint


def _settings(config: type, table: tuple[str, ...], names: tuple[str, ...], panel: str) -> list[_Setting]:
    """Return the options of a configuration class; ``names`` selects fields, all of them if empty."""
    hints = get_type_hints(config)
    found = []
    for field in dataclasses.fields(config):
        about = info(field)
        if about is None or (names and field.name not in names):
            continue
        name = f"{field.name}_model" if table == ("models",) else _NAMES.get(field.name, field.name)
        hint = _required(hints[field.name])
        found.append(_Setting((*table, field.name), name, hint, field.default, about.help, about.unit, panel))
    return found


def _analyzer_settings(*, with_landmarks: bool) -> list[_Setting]:
    tables = get_type_hints(AnalyzerConfig)
    models = ("proposer", "refiner", "pnet", "rnet", "onet", "lnet", *(["landmarks"] if with_landmarks else []))
    found = _settings(tables["detector"], ("detector",), _COMMON_DETECTOR_OPTIONS, "Detector")
    if with_landmarks:
        found += _settings(tables["landmarks"], ("landmarks",), (), "Landmarks")
    found += _settings(tables["models"], ("models",), models, "Models")
    return found + _settings(AnalyzerConfig, (), ("threads", "providers"), "Models")


def analyzer_options(*, with_landmarks: bool = True, **defaults: Mapping[str, object]) -> Callable[[Command], Command]:
    """Give a command the options of :class:`AnalyzerConfig`; it receives them as ``config``.

    Flags go before the file of ``--config``, and that goes before the command's own defaults.

    Args:
        with_landmarks: Whether the command has the options of the landmark detector.
        **defaults: Defaults of this command, by table.
    """
    found = [
        dataclasses.replace(one, default=defaults.get(one.key[0], {}).get(one.key[-1], one.default))
        for one in _analyzer_settings(with_landmarks=with_landmarks)
    ]
    file = inspect.Parameter(
        "config_file",
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[
            Path | None,
            typer.Option(
                "--config",
                metavar="FILE.toml",
                help="Read options from a file; flags override it.",
                rich_help_panel="Models",
                show_default=False,
            ),
        ],
    )

    def make(given: dict[str, Any]) -> AnalyzerConfig:
        path = given.pop("config_file")
        values = _merged(defaults, {} if path is None else read_toml(path))
        for one in found:
            value = given.pop(one.name)
            if value is not None:
                values = _merged(values, _nested(one.key, one.value(value)))
        return AnalyzerConfig.from_dict(values, "options" if path is None else str(path))

    return _expanded("config", [one.parameter() for one in found] + [file], make)


def config_options(parameter: str, config: type, *names: str, panel: str) -> Callable[[Command], Command]:
    """Give a command the options of a configuration class; it receives those that were given, as a dict."""
    found = _settings(config, (), names, panel)
    return _expanded(parameter, [one.parameter() for one in found], _given(found))


def settings_options(parameter: str, settings: Any, *exclude: str, panel: str) -> Callable[[Command], Command]:
    """Give a command the fields of a pydantic settings class as options; it receives those that were given."""
    found = [
        _Setting((name,), name, _required(field.annotation), field.default, field.description.rstrip("."), "", panel)
        for name, field in settings.model_fields.items()
        if name not in exclude
    ]
    return _expanded(parameter, [one.parameter() for one in found], _given(found))


def _given(found: list[_Setting]) -> Callable[[dict[str, Any]], dict[str, object]]:
    def make(given: dict[str, Any]) -> dict[str, object]:
        values = {one.key[-1]: one.value(given.pop(one.name)) for one in found}
        return {name: value for name, value in values.items() if value is not None}

    return make


def is_given(ctx: typer.Context, name: str) -> bool:
    """Tell whether the user gave a parameter on the command line."""
    source = ctx.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _expanded(
    parameter: str, options: list[inspect.Parameter], make: Callable[[dict[str, Any]], object]
) -> Callable[[Command], Command]:
    """Replace a parameter of a command by options, from which ``make`` takes its value."""

    def decorate(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        kept = [
            each.replace(kind=inspect.Parameter.KEYWORD_ONLY, annotation=hints[name])
            for name, each in inspect.signature(command).parameters.items()
            if name != parameter
        ]

        @functools.wraps(command)
        def run(**given: Any) -> int:
            return command(**{parameter: make(given)}, **given)

        run.__signature__ = inspect.Signature([*kept, *options])  # type: ignore[attr-defined]
        run.__annotations__ = {each.name: each.annotation for each in [*kept, *options]}
        return run

    return decorate


def _nested(key: tuple[str, ...], value: object) -> dict[str, Any]:
    return {key[0]: _nested(key[1:], value) if len(key) > 1 else value}


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested mappings merged; ``over`` wins."""
    result = dict(base)
    for name, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(name), Mapping)
        result[name] = _merged(result[name], value) if both else value
    return result


def existing_folder(path: Path, option: str) -> Path:
    """Return ``path`` if it is a folder. Raises BadOption naming the ``option``."""
    if not path.is_dir():
        raise BadOption(f"{option} {path}: there is no such folder (looked in {Path.cwd()})")
    return path
