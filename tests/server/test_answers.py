"""Every route with a real image: responses equal those of the library and the command line."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile

import httpx
import numpy as np
import pytest

import mien
from mien.cli import main
from mien.geometry.schemes import to_five
from mien.imaging import encode_png, read_image
from mien.schema import image_record

from .conftest import ASTRONAUT, Running

FILE = ASTRONAUT.read_bytes()


@pytest.fixture(scope="module")
def detector() -> mien.FaceDetector:
    return mien.FaceDetector(threads=1)


@pytest.fixture(scope="module")
def faces(detector: mien.FaceDetector) -> mien.Faces:
    return detector(FILE)


def form(name: str = "astronaut.jpg") -> dict[str, tuple[str, bytes]]:
    return {"anything": (name, FILE)}


def test_detect_equals_the_command_line(http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["detect", str(ASTRONAUT), "--json", "--threads", "1"]) == 0
    printed = json.loads(capsys.readouterr().out)
    answer = http.post("/v1/detect", files=form())
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-faces-found"] == "1"
    assert answer.json() == printed | {"image": "astronaut.jpg"}


@pytest.mark.parametrize("kind", ["form", "raw", "json", "form with fields"])
def test_every_content_type_gives_the_same_result(http: httpx.Client, kind: str, faces: mien.Faces) -> None:
    name = "image" if kind == "raw" else "astronaut.jpg"
    request = {
        "form": {"files": form()},
        "form with fields": {"files": form(), "data": {"user": "nobody", "formId": "7"}},
        "raw": {"content": FILE, "headers": {"Content-Type": "image/jpeg"}},
        "json": {"json": {"image": base64.b64encode(FILE).decode(), "name": "astronaut.jpg"}},
    }[kind]
    answer = http.post("/v1/detect", **request)  # type: ignore[arg-type]
    assert answer.json() == image_record(name, 512, 512, faces)


def test_form_quirks_are_accepted(http: httpx.Client) -> None:
    """Empty file fields, line breaks in base64, overlong names."""
    data = ASTRONAUT.read_bytes()
    files = [("image", ("x.jpg", data)), ("other", ("", b""))]
    assert len(http.post("/v1/detect", files=files).json()["faces"]) == 1
    lines = base64.encodebytes(data).decode()
    assert len(http.post("/v1/detect", json={"image": lines}).json()["faces"]) == 1
    name = http.post("/v1/detect", files={"image": ("人" * 300 + ".jpg", data)}).json()["image"]
    assert len(name.encode()) <= 200
    assert set(name) == {"人"}


def test_landmarks(http: httpx.Client, faces: mien.Faces) -> None:
    for contour, scheme in (("visible", "68"), ("3d", "68-3d")):
        landmark_detector = mien.LandmarkDetector(contour=contour, refinement_steps=2, threads=1)  # type: ignore[arg-type]
        record = image_record("astronaut.jpg", 512, 512, faces, landmark_detector(read_image(FILE), faces))
        answer = http.post("/v1/landmarks", params={"contour": contour, "refinement_steps": 2}, files=form())
        assert answer.json() == record
        assert answer.json()["faces"][0]["landmarks"]["scheme"] == scheme


def test_align_equals_the_library(http: httpx.Client, faces: mien.Faces) -> None:
    image = read_image(FILE)
    points = to_five(mien.LandmarkDetector(threads=1)(image, faces)[0].points)
    (aligned_face,) = mien.align_faces(image, mien.Faces(faces.boxes, faces.scores, points[None]))
    answer = http.post("/v1/align", files=form("a/b/astronaut.jpg")).json()
    assert answer["image"] == "astronaut.jpg"
    (sent,) = answer["aligned_faces"]
    assert (sent["file"], sent["size"]) == ("astronaut_0.png", 144)
    assert (read_image(base64.b64decode(sent["png"])) == aligned_face.image).all()
    assert np.allclose(sent["to_image"], aligned_face.to_image.matrix, atol=1e-5)  # rounded to six digits


def test_align_by_keypoints_as_zip(http: httpx.Client, faces: mien.Faces) -> None:
    params = {"points": 5, "template": "arcface", "size": 96, "format": "zip"}
    answer = http.post("/v1/align", params=params, files=form())
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.namelist() == ["astronaut_0.png", "aligned_faces.json"]
        (aligned_face,) = mien.align_faces(read_image(FILE), faces, spec=mien.AlignSpec.arcface(96))
        assert archive.read("astronaut_0.png") == encode_png(aligned_face.image)
        record = json.loads(archive.read("aligned_faces.json"))
    assert record["aligned_faces"][0]["file"] == "astronaut_0.png"
    assert "png" not in record["aligned_faces"][0]


def test_analyze_returns_what_is_requested(http: httpx.Client, faces: mien.Faces) -> None:
    plain = http.post("/v1/analyze", params={"landmarks": False}, files=form()).json()
    assert plain == image_record("astronaut.jpg", 512, 512, faces)
    usual = http.post("/v1/analyze", files=form()).json()
    assert usual == http.post("/v1/landmarks", files=form()).json()
    everything = http.post("/v1/analyze", params={"aligned_faces": True, "png": True}, files=form()).json()
    assert everything.pop("aligned_faces") == http.post("/v1/align", files=form()).json()["aligned_faces"]
    assert everything == usual


def test_min_face_size_and_max_faces(http: httpx.Client, analysis: np.ndarray) -> None:
    two = encode_png(np.concatenate([analysis, analysis[:, ::-1]], axis=1))
    upload = {"content": two, "headers": {"Content-Type": "image/png"}}
    everyone = http.post("/v1/detect", **upload)  # type: ignore[arg-type]
    assert len(everyone.json()["faces"]) == 2
    one = http.post("/v1/detect", params={"max_faces": 1}, **upload)  # type: ignore[arg-type]
    assert one.json()["faces"] == everyone.json()["faces"][:1]
    assert one.headers["x-faces-found"] == "2"
    none = http.post("/v1/detect", params={"min_face_size": 400}, **upload)  # type: ignore[arg-type]
    assert none.json()["faces"] == []


def test_no_face_is_a_result(http: httpx.Client) -> None:
    black = encode_png(np.zeros((64, 64, 3), np.uint8))
    for path, rest in (("detect", {"faces": []}), ("landmarks", {"faces": []}), ("align", {"aligned_faces": []})):
        answer = http.post(f"/v1/{path}", content=black, headers={"Content-Type": "image/png"})
        assert answer.json() == {"image": "image", "width": 64, "height": 64, **rest}


def test_models_equal_the_command_line(http: httpx.Client, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models", "--json"]) == 0
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert http.get("/v1/models").json() == {"models": printed}


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models"])
def test_head_requests(http: httpx.Client, path: str) -> None:
    whole, head = http.get(path), http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"] == str(len(whole.content))


def test_health_and_metrics(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ok"}
    http.post("/v1/detect", files=form())
    http.get("/no/such/path/7")
    text = http.get("/metrics").text
    assert float(re.findall(r"^mien_faces_total (.*)$", text, re.MULTILINE)[0]) >= 1
    assert re.search(r'^mien_requests_total\{method="POST",path="/v1/detect",status="200"\} ', text, re.MULTILINE)
    assert "no/such" not in text  # invented paths must not become time series
    assert "mien_slots_used 0.0" in text


def test_docs_load_nothing_from_other_hosts(running: Running, http: httpx.Client) -> None:
    page = http.get("/docs").text
    files = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert files
    assert all(name.startswith("/") and http.get(name).status_code == 200 for name in files)
    assert "http://" not in page.replace(running.url, "")
    assert "https://" not in page


def test_request_ids(http: httpx.Client) -> None:
    assert http.get("/healthz", headers={"X-Request-ID": "mine-1"}).headers["x-request-id"] == "mine-1"
    ours = [http.get("/healthz", headers=head).headers["x-request-id"] for head in ({}, {"X-Request-ID": "no good"})]
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in ours)
    assert ours[0] != ours[1]
