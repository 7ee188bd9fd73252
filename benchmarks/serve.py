"""Measure the overhead of the HTTP service: latency, throughput, memory, stream frames per second.

    python benchmarks/serve.py

Images: the example at 640 x 640 pixels, shifted and mirrored so that all differ, as JPEG. The service runs in its own
process with default settings, on the same cores as the clients.

overhead: one client; each image by the library with defaults and by POST /v1/detect, in turn; median difference.
lone: one client; POST /v1/detect of a service with its two sessions per network and of one with --threads 1, in turn.
throughput: the library alone and 16 clients, in turn; the library in several configurations, of which the one with
the best median is the reference. p50 and p99 latency of all requests at that load.
memory: resident memory of the service over many requests of mixed sizes and routes.
stream: 640 x 480, landmarks and tracks; the next frame after each result ("paced"), and 30 frames per second as from
a camera ("camera"): results per second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import record

import mien
from mien.imaging import encode_jpeg

EXAMPLE = Path(__file__).parents[1] / "examples" / "astronaut.jpg"
CLIENTS = 16
CONFIGURATIONS = ((1, 2), (2, 1), (2, 2), (1, 3))
"""Threads per network and concurrent images: ways for the library to use two cores."""


def main() -> None:
    args = _arguments()
    result: dict[str, Any] = {"load_before": os.getloadavg()}
    if "overhead" in args.parts:
        result["overhead"] = overhead(args.count)
    if "lone" in args.parts:
        result["lone"] = lone(args.count)
    if "throughput" in args.parts:
        result["throughput"] = throughput(args.rounds, args.seconds)
    if "memory" in args.parts:
        result["memory"] = memory(args.requests)
    if "stream" in args.parts:
        result["stream"] = asyncio.run(stream(args.seconds))
    print(json.dumps(result, indent=1))
    record.write("serve", result, args.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = ["overhead", "lone", "throughput", "memory", "stream"]
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--count", type=int, default=300, help="images for overhead and lone")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=10.0, help="per round and per stream")
    parser.add_argument("--requests", type=int, default=2000, help="requests for memory")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


@contextmanager
def service(*flags: str) -> Iterator[tuple[int, int]]:
    """Run ``mien serve`` in its own process; yield port and process id."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "mien.cli", "serve", "--port", str(port), "--log-level", "warning", *flags]
    with subprocess.Popen(command) as process:
        try:
            _wait(port)
            yield port, process.pid
        finally:
            process.terminate()


def _wait(port: int) -> None:
    for _ in range(300):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
            return
        except urllib.error.URLError:
            time.sleep(0.1)
    raise SystemExit("the service did not start")


def images(count: int, width: int = 640, height: int = 640) -> list[bytes]:
    """Return JPEG files with the face at different places."""
    large = cv2.resize(mien.read_image(EXAMPLE), (640, 640), interpolation=cv2.INTER_CUBIC)
    files = []
    for number in range(count):
        moved = np.roll(large, (5 * number % 60, 7 * number % 90), axis=(0, 1))[:height, :width]
        files.append(encode_jpeg(np.ascontiguousarray(moved[:, ::-1] if number % 2 else moved)))
    return files


def request(path: str, body: bytes) -> bytes:
    """Return a request as bytes, so that the cost of a client library is not measured."""
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message: bytes) -> bytes:
    """Return the body of the response, which must be 200."""
    writer.write(message)
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(head.decode())
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return await reader.readexactly(length)


def overhead(count: int) -> dict[str, Any]:
    """Return milliseconds of one client and of the library with defaults."""
    with service() as (port, _):
        alone, asked = asyncio.run(_take_turns(port, images(20), count))
    differences = [served - direct for served, direct in zip(asked, alone, strict=True)]
    return {
        "images": count,
        "library_median_ms": round(statistics.median(alone), 2),
        "service_median_ms": round(statistics.median(asked), 2),
        "overhead_median_ms": round(statistics.median(differences), 2),
        "overhead_quartiles_ms": [round(value, 2) for value in statistics.quantiles(differences, n=4)],
    }


async def _take_turns(port: int, files: list[bytes], count: int) -> tuple[list[float], list[float]]:
    """Return milliseconds of the library and of the service per image, after ten warm-up images."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    detector = mien.FaceDetector()
    alone, asked = [], []
    for number in range(-10, count):
        body = files[number % len(files)]
        start = time.perf_counter()
        detector(body)
        between = time.perf_counter()
        await ask(reader, writer, request("/v1/detect", body))
        end = time.perf_counter()
        if number >= 0:
            alone.append(1000 * (between - start))
            asked.append(1000 * (end - between))
    writer.close()
    return alone, asked


def lone(count: int) -> dict[str, Any]:
    """Return the latency of one client with two sessions per network, and with one of a single thread."""
    with service() as (pooled, _), service("--threads", "1") as (single, _):
        times = asyncio.run(_alternate([pooled, single], images(20), count))
    ratios = [second / first for first, second in zip(*times, strict=True)]
    return {
        "images": count,
        "pool_median_ms": round(statistics.median(times[0]), 2),
        "single_thread_median_ms": round(statistics.median(times[1]), 2),
        "ratio_median": round(statistics.median(ratios), 3),
        "ratio_quartiles": [round(value, 3) for value in statistics.quantiles(ratios, n=4)],
    }


async def _alternate(ports: list[int], files: list[bytes], count: int) -> list[list[float]]:
    """Return milliseconds per image of each service, after ten warm-up images."""
    connections = [await asyncio.open_connection("127.0.0.1", port) for port in ports]
    times: list[list[float]] = [[] for _ in ports]
    for number in range(-10, count):
        for spent, (reader, writer) in zip(times, connections, strict=True):
            start = time.perf_counter()
            await ask(reader, writer, request("/v1/detect", files[number % len(files)]))
            if number >= 0:
                spent.append(1000 * (time.perf_counter() - start))
    for _, writer in connections:
        writer.close()
    return times


def throughput(rounds: int, seconds: float) -> dict[str, Any]:
    """Return images per second of the library and of the service, in turn."""
    files = images(32)
    detectors = {each: mien.FaceDetector(threads=each[0]) for each in CONFIGURATIONS}
    alone: dict[str, list[float]] = {f"threads={threads} concurrent={count}": [] for threads, count in CONFIGURATIONS}
    served, waits = [], []
    with service() as (port, _):
        for _ in range(rounds):
            for configuration, name in zip(CONFIGURATIONS, alone, strict=True):
                alone[name].append(round(_library(detectors[configuration], configuration[1], files, seconds), 2))
            start = time.perf_counter()
            times = asyncio.run(_clients(port, files, seconds))
            served.append(round(len(times) / (time.perf_counter() - start), 2))
            waits += times
    best = max(alone, key=lambda name: statistics.median(alone[name]))
    ratios = [mine / theirs for mine, theirs in zip(served, alone[best], strict=True)]
    p50, p99 = (float(np.percentile(waits, part)) * 1000 for part in (50, 99))
    return {
        "clients": CLIENTS,
        "library_per_second": alone,
        "best_configuration": best,
        "service_per_second": served,
        "ratio_to_best": [round(ratio, 3) for ratio in ratios],
        "ratio_to_best_median": round(statistics.median(ratios), 3),
        "requests": len(waits),
        "p50_ms": round(p50, 1),
        "p99_ms": round(p99, 1),
        "p99_over_p50": round(p99 / p50, 2),
    }


def _library(detector: mien.FaceDetector, concurrent: int, files: list[bytes], seconds: float) -> float:
    """Return images per second with this many threads."""
    end = time.perf_counter() + seconds

    def work(first: int) -> int:
        count = first
        while time.perf_counter() < end:
            detector(files[count % len(files)])
            count += 1
        return count - first

    with ThreadPoolExecutor(concurrent) as threads:
        start = time.perf_counter()
        done = sum(threads.map(work, range(concurrent)))
        return done / (time.perf_counter() - start)


async def _clients(port: int, files: list[bytes], seconds: float) -> list[float]:
    """Return seconds of each request; each client sends the next one immediately until the time is over."""
    messages = [request("/v1/detect", body) for body in files]
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def client(number: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            start = time.perf_counter()
            await ask(reader, writer, messages[number % len(messages)])
            times.append(time.perf_counter() - start)
            number += CLIENTS + 1
        writer.close()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return times


def memory(requests: int) -> dict[str, Any]:
    """Return resident MB of the service after each tenth of the requests."""
    samples = []
    with service() as (port, process):
        for part in range(10):
            asyncio.run(_mixed(port, requests // 10, seed=part))
            samples.append(round(_resident_mb(process), 1))
            print(f"{(part + 1) * requests // 10} requests: {samples[-1]} MB", file=sys.stderr, flush=True)
    return {
        "requests": requests,
        "resident_mb": samples,
        "growth_mb": round(samples[-1] - samples[0], 1),
        "growth_of_the_second_half_mb": round(samples[-1] - samples[4], 1),
    }


def _resident_mb(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


async def _mixed(port: int, count: int, seed: int) -> None:
    """Send requests to all routes, 160 to 960 pixels, four at a time."""
    rng = np.random.default_rng(seed)
    original = mien.read_image(EXAMPLE)
    paths = ("/v1/detect", "/v1/landmarks", "/v1/align", "/v1/analyze?aligned_faces=true")

    async def client(part: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for number in range(part, count, 4):
            sides = rng.integers(160, 960, 2).tolist()
            image = cv2.resize(original, sides, interpolation=cv2.INTER_AREA)
            await ask(reader, writer, request(paths[number % 3 + (number % 7 == 0)], encode_jpeg(image)))
        writer.close()

    await asyncio.gather(*(client(part) for part in range(4)))


async def stream(seconds: float) -> dict[str, Any]:
    """Return results per second and the processing time that the service reports."""
    frames = images(60, 640, 480)
    result = {}
    for name, rate in (("paced", None), ("camera", 30.0)):
        with service() as (port, _):
            result[name] = await _stream(port, frames, seconds, rate)
    return result


async def _stream(port: int, frames: list[bytes], seconds: float, rate: float | None) -> dict[str, Any]:
    from websockets.asyncio.client import connect

    answers, sent = [], 0
    async with connect(f"ws://127.0.0.1:{port}/v1/stream", compression=None) as socket_:
        start = time.perf_counter()

        async def camera() -> None:
            nonlocal sent
            while rate is not None:
                await socket_.send(frames[sent % len(frames)])
                sent += 1
                await asyncio.sleep(max(0.0, start + sent / rate - time.perf_counter()))

        task = asyncio.create_task(camera())
        while time.perf_counter() - start < seconds:
            if rate is None:
                await socket_.send(frames[sent % len(frames)])
                sent += 1
            answers.append(json.loads(await socket_.recv()))
        spent = time.perf_counter() - start
        task.cancel()
    return {
        "sent": sent,
        "per_second": round(len(answers) / spent, 1),
        "with_a_face": sum(bool(answer["faces"]) for answer in answers),
        "answers": len(answers),
        "service_ms_median": round(statistics.median(answer["ms"] for answer in answers), 1),
    }


if __name__ == "__main__":
    main()
