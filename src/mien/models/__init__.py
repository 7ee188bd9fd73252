"""Networks: model cards, crop specifications, and the sessions that run them."""

from mien.models.card import CARD_KEY, InputSpec, ModelCard, OutputSpec
from mien.models.crops import CropSpec, FivePoint, Grid, PointPatches, SquareBox, StretchedBox, Window
from mien.models.session import (
    Model,
    ModelSource,
    available_providers,
    cores,
    list_models,
    model_path,
    open_model,
    read_card,
)

__all__ = [
    "CARD_KEY",
    "CropSpec",
    "FivePoint",
    "Grid",
    "InputSpec",
    "Model",
    "ModelCard",
    "ModelSource",
    "OutputSpec",
    "PointPatches",
    "SquareBox",
    "StretchedBox",
    "Window",
    "available_providers",
    "cores",
    "list_models",
    "model_path",
    "open_model",
    "read_card",
]
