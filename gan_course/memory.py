"""How much more a device can hold."""

import psutil
import torch

CPU = torch.device("cpu")


def free_memory(device: torch.device = CPU) -> int:
    """Bytes that can be had; on a CPU without swapping, what the system merely caches included."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
