"""What the machine could do at most: its rate of matrix products, measured in the same process."""

import time

import torch

SIDE = 2048  # of the square matrices on a CPU; four times that on a GPU


def matmul_rate(device: torch.device, dtype: torch.dtype = torch.float32, seconds: float = 0.5) -> float:
    """Floating-point operations a second of large matrix products: the best of three measurements."""
    side = SIDE if device.type == "cpu" else 4 * SIDE
    a, b = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return max(_rate(a, b, seconds) for _ in range(3))


def _rate(a: torch.Tensor, b: torch.Tensor, seconds: float) -> float:
    wait = torch.cuda.synchronize if a.is_cuda else lambda: None
    a @ b
    wait()
    begin, products = time.perf_counter(), 0
    while time.perf_counter() - begin < seconds:
        a @ b
        products += 1
        wait()
    return 2 * a.shape[0] ** 3 * products / (time.perf_counter() - begin)


def short_type(device: torch.device) -> str:
    """The name of the shorter type that a GPU has units for: bfloat16 from capability 8.0 on, float16 before."""
    return "bfloat16" if torch.cuda.get_device_capability(device) >= (8, 0) else "float16"
