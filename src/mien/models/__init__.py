"""Networks: the only room that imports onnxruntime.

``card`` is what a file says about itself; ``network`` finds, verifies, opens and runs it.
"""

from mien.models.card import ModelCard, attach_card, read_card
from mien.models.session import WEIGHTS, Model, Network, NetworkSource, available, cores, open_model, opened

__all__ = [
    "WEIGHTS",
    "Model",
    "ModelCard",
    "Network",
    "NetworkSource",
    "attach_card",
    "available",
    "cores",
    "open_model",
    "opened",
    "read_card",
]
