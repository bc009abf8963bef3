"""The modes of torch in the calling thread, which must not change an answer.

Nor must the default type and device of new tensors. But all threads share the default type, so it cannot be changed for
a while: wherever this package makes a tensor that a prediction needs, it names the type and the device.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def default_modes(device: torch.device) -> Iterator[None]:
    """Context manager in which the caller's inference mode and autocast are off.

    Args:
        device: device of the network.
    """
    with torch.inference_mode(False), torch.autocast(device.type, enabled=False):
        yield
