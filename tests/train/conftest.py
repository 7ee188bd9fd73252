"""One thread: results do not depend on the number of cores, and tiny networks are faster without waiting threads."""

import numpy as np
import pytest
import torch

from mien.models import InputSpec, ModelCard, OutputSpec
from mien.train.networks.deployed import MEAN, SCALE, Deployed
from mien.train.networks.proposer import MienProposer, activate


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)


class ProposerSource:
    """What :func:`mien.train.export.export` needs of a task, for a proposer."""

    def __init__(self, half_precision_weights: bool) -> None:
        self.half_precision_weights = half_precision_weights

    def example(self):
        return np.random.default_rng(0).integers(0, 256, (2, 64, 96, 3), np.uint8)

    def exportable(self, network):
        return Deployed(network, activate)

    def card(self, metrics):
        return ModelCard(
            name="proposer",
            task="proposer",
            input=InputSpec(MienProposer.input_size, 3, "RGB", MEAN, SCALE),
            crop=MienProposer.crop,
            output=OutputSpec(MienProposer.outputs),
            license="MIT",
            training_data="none",
            source="a test",
            scores=metrics,
            parameters=0,
        )


@pytest.fixture(scope="session")
def proposer_source() -> type[ProposerSource]:
    return ProposerSource
