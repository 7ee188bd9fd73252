"""Which networks look at an image."""

from __future__ import annotations

import pytest

from mien.server.lanes import Lanes
from mien.server.problems import Problem


def test_only_a_image_that_is_alone_gets_the_wide_networks() -> None:
    lanes = Lanes(20.0, 2)
    with lanes.take() as first:
        with lanes.take() as second, lanes.take() as third:
            assert second is third is lanes.narrow
        assert first is not lanes.narrow
        with lanes.take() as fourth:
            assert fourth is lanes.narrow
    with lanes.take() as alone:
        assert alone is first


def test_a_lane_is_free_again_after_a_mistake() -> None:
    lanes = Lanes(20.0, 2)
    with lanes.take() as wide:
        pass
    with pytest.raises(Problem), lanes.take() as networks:
        networks.detector(10.0)
    with lanes.take() as networks:
        assert networks is wide


def test_on_one_thread_there_is_one_lane() -> None:
    lanes = Lanes(20.0, 1)
    with lanes.take() as networks:
        assert networks is lanes.narrow
