"""One thread: results do not depend on the number of cores, and tiny networks are faster without waiting threads."""

import pytest
import torch


@pytest.fixture(scope="session", autouse=True)
def _one_thread():
    torch.set_num_threads(1)
