"""The card of a network, and how it travels inside the ``.onnx`` file.

The card is JSON under the metadata key ``mien.card``. Its ``sha256`` covers all other bytes of the file and
the card itself, so that verifying needs neither the ``onnx`` package nor an opened network.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, fields, replace

from mien.errors import ModelMismatch

_USUAL_CROP = "square"
_CARD_KEY = b"mien.card"
_METADATA_TAG = 14 << 3 | 2  # ModelProto.metadata_props, length-delimited


@dataclass(frozen=True, slots=True, eq=False)
class ModelCard:
    """What a network expects, what it returns and where it comes from.

    ``input_size``: side in pixels of the square the network looks at. ``colour``: what the graph takes;
    callers of :class:`Model` always give RGB. ``mean``, ``scale``: the graph computes (uint8 - mean) *
    scale. ``context``: side of the crop in sides of the box. ``stride`` and ``cell`` (P-Net only, else 0):
    step between windows and nominal side of a face, in pixels of a level. ``scores``: what was measured, by
    name. ``sha256``: filled in by :func:`attach_card`. ``crop``: whether the box is squared before it is cut
    ("square") or stretched to a square ("box").
    """

    name: str
    task: str
    input_size: int
    colour: str
    mean: float
    scale: float
    context: float
    stride: int
    cell: int
    outputs: tuple[str, ...]
    licence: str
    data: str
    source: str
    scores: dict[str, float]
    parameters: int
    sha256: str = ""
    crop: str = "square"

    def to_json(self) -> str:
        """The card as JSON, the same text for the same card."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        if self.crop == _USUAL_CROP:  # younger than the first networks, whose cards do without it
            del values["crop"]
        return json.dumps(values, sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> ModelCard:
        """The inverse of :meth:`to_json`. Raises ModelMismatch for unknown, missing or unfit entries."""
        try:
            values = json.loads(text)
        except json.JSONDecodeError as error:
            raise ModelMismatch(f"the card is not JSON ({error}); export the network again") from error
        if not isinstance(values, dict):
            raise ModelMismatch(f"the card is a JSON {type(values).__name__}, not an object; export the network again")
        values = {"crop": _USUAL_CROP, **values}
        known = {field.name for field in fields(cls)}
        if values.keys() != known:
            unknown, missing = sorted(values.keys() - known), sorted(known - values.keys())
            raise ModelMismatch(
                f"the card has unknown entries {unknown} and lacks {missing}; export the network again, "
                "with this version of mien"
            )
        unfit = [name for name, value in values.items() if not _fits(name, value)]
        if unfit:
            found = {name: values[name] for name in unfit}
            raise ModelMismatch(f"the card has entries of the wrong kind: {found}; export the network again")
        return cls(**{**values, "outputs": tuple(values["outputs"])})


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _fits(name: str, value: object) -> bool:
    """Whether a value read from JSON can be the card's entry of this name."""
    if name == "outputs":
        return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
    if name == "scores":
        return isinstance(value, dict) and all(_is_number(item) for item in value.values())
    if name == "colour":
        return value in ("RGB", "BGR")
    if name == "crop":
        return value in ("square", "box")
    if name in ("mean", "scale", "context"):
        return _is_number(value)
    if name in ("input_size", "stride", "cell", "parameters"):
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return isinstance(value, str)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*out, number])


def _read_varint(data: bytes, start: int) -> tuple[int, int]:
    """The number at ``start`` and where it ends. Raises IndexError when the data ends first."""
    number = shift = 0
    while True:
        byte = data[start]
        start += 1
        number |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return number, start


def _field(tag: int, value: bytes) -> bytes:
    return _varint(tag) + _varint(len(value)) + value


def _fields(data: bytes) -> list[tuple[int, int, int, int]]:
    """The outermost fields of a protobuf message: tag, start of field, start of value, end.

    Raises IndexError or ValueError when the data is no such message.
    """
    found = []
    start = 0
    while start < len(data):
        tag, value = _read_varint(data, start)
        kind = tag & 7
        if kind == 0:
            _, end = _read_varint(data, value)
        elif kind == 2:
            length, value = _read_varint(data, value)
            end = value + length
        elif kind in (1, 5):
            end = value + (8 if kind == 1 else 4)
        else:
            raise ValueError(f"field kind {kind}")
        if end > len(data):
            raise ValueError("a field is cut off")
        found.append((tag, start, value, end))
        start = end
    return found


def _entry(value: bytes) -> dict[int, bytes]:
    """A metadata entry: its key under tag 10, its value under tag 18."""
    return {tag: value[low:high] for tag, _, low, high in _fields(value)}


def _split(data: bytes) -> tuple[bytes, list[str]]:
    """The model without cards, and the texts of its cards."""
    body, cards = [], []
    try:
        for tag, start, low, high in _fields(data):
            entry = _entry(data[low:high]) if tag == _METADATA_TAG else {}
            if entry.get(10) == _CARD_KEY:
                cards.append(entry[18].decode("utf-8"))
            else:
                body.append(data[start:high])
    except (IndexError, KeyError, ValueError) as error:
        raise ModelMismatch("this is no ONNX file, or a cut-off one; fetch or export it again") from error
    return b"".join(body), cards


def _digest(body: bytes, card: ModelCard) -> str:
    unsigned = replace(card, sha256="").to_json()
    return hashlib.sha256(body + unsigned.encode("utf-8")).hexdigest()


def attach_card(model_bytes: bytes, card: ModelCard) -> bytes:
    """A serialized ONNX model with ``card`` in its metadata; the card's ``sha256`` is computed here.

    A card that is there already is replaced. Raises ModelMismatch when the bytes are not those of a model, or
    the card could not be read again.
    """
    body, _ = _split(model_bytes)
    signed = replace(card, sha256=_digest(body, card))
    text = ModelCard.from_json(signed.to_json()).to_json()
    entry = _field(10, _CARD_KEY) + _field(18, text.encode("utf-8"))
    return body + _field(_METADATA_TAG, entry)


def read_card(model_bytes: bytes) -> ModelCard:
    """The card in a serialized model, after verifying that neither was altered.

    Raises ModelMismatch when there is no card, or when model and card do not belong together.
    """
    body, cards = _split(model_bytes)
    if len(cards) != 1:
        raise ModelMismatch(f"it has {len(cards)} cards; export it with mien train, or use mien convert")
    card = ModelCard.from_json(cards[0])
    if card.sha256 != _digest(body, card):
        raise ModelMismatch(f"its bytes do not have the sha256 {card.sha256!r} of its card; fetch it again")
    return card
