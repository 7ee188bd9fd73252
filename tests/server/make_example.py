"""Write ``src/mien/server/example.json``, the example of the OpenAPI document: a small image and the responses to it.

Run ``python tests/server/make_example.py`` after a change of the records or of the shipped networks.
"""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import cv2
import httpx

from mien.imaging import encode_jpeg, read_image
from mien.server import ServeSettings, create_app

ROOT = Path(__file__).parents[2]
TARGET = ROOT / "src" / "mien" / "server" / "example.json"
QUERIES = {
    "/v1/detect": {},
    "/v1/landmarks": {},
    "/v1/align": {"template": "arcface", "size": "16"},
    "/v1/analyze": {"aligned_faces": "true"},
}


def main() -> None:
    face = read_image(ROOT / "examples" / "astronaut.jpg")[30:190, 140:300]
    image = base64.b64encode(encode_jpeg(cv2.resize(face, (96, 96), interpolation=cv2.INTER_AREA))).decode("ascii")
    responses = asyncio.run(send({"image": image, "name": "face.jpg"}))
    TARGET.write_text(json.dumps({"image": image, "responses": responses}) + "\n")


async def send(body: dict[str, str]) -> dict[str, object]:
    transport = httpx.ASGITransport(create_app(ServeSettings()))
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return {path: (await client.post(path, params=query, json=body)).json() for path, query in QUERIES.items()}


if __name__ == "__main__":
    main()
