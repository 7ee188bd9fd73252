"""Write a model card into an ONNX model. Needs the ``onnx`` package, which training installs."""

from __future__ import annotations

import onnx

from mien.models.card import CARD_KEY, ModelCard


def attach_card(model: onnx.ModelProto, card: ModelCard) -> bytes:
    """Return the serialized model with ``card`` in its metadata, in place of an earlier card.

    Raises ModelMismatch for a card that could not be read again.
    """
    text = ModelCard.from_json(card.to_json()).to_json()
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    others = [entry for entry in model.metadata_props if entry.key != CARD_KEY]
    del copy.metadata_props[:]
    copy.metadata_props.extend([*others, onnx.StringStringEntryProto(key=CARD_KEY, value=text)])
    serialized: bytes = copy.SerializeToString(deterministic=True)
    return serialized
