"""What Prometheus is told."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The counters of one service, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        PlatformCollector(self.registry)
        ProcessCollector(registry=self.registry)
        GCCollector(self.registry)
        self.requests = Counter(
            "mien_requests", "Requests answered.", ("method", "path", "status"), registry=self.registry
        )
        self.seconds = Histogram(
            "mien_request_seconds",
            "From the head of a request to the end of its answer.",
            ("path",),
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.running = Gauge("mien_requests_in_progress", "Requests that are being answered.", registry=self.registry)
        self.places = Gauge("mien_places_taken", "Requests that work, wait or arrive.", registry=self.registry)
        self.images = Counter("mien_images", "Images looked at.", registry=self.registry)
        self.faces = Counter("mien_faces", "Faces found.", registry=self.registry)
        self.streams = Gauge("mien_streams", "Streams that are open.", registry=self.registry)
        self.frames = Counter("mien_frames", "Frames of streams.", ("what",), registry=self.registry)
