"""Trees of /sys with AMD and Intel GPUs. WRITTEN, NOT RECORDED: no such machine was at hand.

Which files there are, their units and their form follow the kernel's documentation
(gpu/amdgpu/thermal, gpu/amdgpu/driver-core, gpu/xe/xe_gt_freq, ABI/testing/sysfs-driver-intel-*)
and kgd_pp_interface.h; the forms of pp_dpm_*, of link files behind a card's own switch and of an
MI300's sensors follow what owners posted in public issues (Umio-Yasuno/amdgpu_top 33,
nokyan/resources 512, Syllo/nvtop 514). The numbers are made up.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

Files = dict[str, str | bytes]

MI300X = "1002:74A1"
RX7900 = "1002:744C"


def metrics_1_3(status: int) -> bytes:
    """gpu_metrics of a card: 120 bytes, the throttle status last."""
    return struct.pack("<HBB", 120, 1, 3) + bytes(108) + struct.pack("<Q", status)


def metrics_1_8(residencies: tuple[int, ...], gb_per_s: int = 5325, size: int = 2048) -> bytes:
    """gpu_metrics of an accelerator: bandwidth at 16; a counter and five residencies at 40."""
    data = bytearray(size)
    struct.pack_into("<HBB", data, 0, size, 1, 8)
    struct.pack_into("<Q", data, 16, gb_per_s)
    struct.pack_into("<6I", data, 40, 1000, *residencies)
    return bytes(data)


def metrics_2_2(status: int) -> bytes:
    """gpu_metrics of graphics inside a processor: 128 bytes, the throttle status last."""
    return struct.pack("<HBB", 128, 2, 2) + bytes(116) + struct.pack("<Q", status)


def dgpu() -> Files:
    """A graphics card."""
    return {
        "revision": "0xc8\n",
        "gpu_busy_percent": "87\n",
        "mem_busy_percent": "41\n",
        "mem_info_vram_used": f"{6 << 30}\n",
        "mem_info_vram_total": f"{24 << 30}\n",
        "mem_info_gtt_used": f"{1 << 30}\n",
        "mem_info_gtt_total": f"{32 << 30}\n",
        "pp_dpm_sclk": "0: 500Mhz \n1: 2255Mhz *\n2: 2526Mhz \n",
        "pp_dpm_mclk": "0: 96Mhz \n1: 456Mhz \n2: 1249Mhz *\n",
        "gpu_metrics": metrics_1_3(0),
        "current_link_speed": "16.0 GT/s PCIe\n",
        "current_link_width": "16\n",
        "max_link_speed": "16.0 GT/s PCIe\n",
        "max_link_width": "16\n",
        "hwmon/hwmon3/freq1_input": "2255000000\n",
        "hwmon/hwmon3/freq2_input": "1249000000\n",
        "hwmon/hwmon3/power1_average": "291000000\n",
        "hwmon/hwmon3/power1_cap": "327000000\n",
        "hwmon/hwmon3/temp1_label": "edge\n",
        "hwmon/hwmon3/temp1_input": "61000\n",
        "hwmon/hwmon3/temp1_crit": "100000\n",
        "hwmon/hwmon3/temp2_label": "junction\n",
        "hwmon/hwmon3/temp2_input": "84000\n",
        "hwmon/hwmon3/temp2_crit": "110000\n",
        "hwmon/hwmon3/pwm1": "102\n",
    }


def accelerator() -> Files:
    """A passively cooled one: no fan, no edge sensor, instantaneous power."""
    return {
        "product_name": "AMD Instinct MI300X\n",
        "gpu_busy_percent": "99\n",
        "mem_busy_percent": "63\n",
        "mem_info_vram_used": f"{150 << 30}\n",
        "mem_info_vram_total": f"{192 << 30}\n",
        "pp_dpm_sclk": "S: 132Mhz *\n0: 500Mhz \n1: 2100Mhz \n",
        "gpu_metrics": metrics_1_8((0, 0, 0, 0, 0)),
        "current_link_speed": "32.0 GT/s PCIe\n",
        "current_link_width": "16\n",
        "max_link_speed": "32.0 GT/s PCIe\n",
        "max_link_width": "16\n",
        "hwmon/hwmon5/power1_input": "612000000\n",
        "hwmon/hwmon5/power1_cap": "750000000\n",
        "hwmon/hwmon5/temp2_label": "junction\n",
        "hwmon/hwmon5/temp2_input": "71000\n",
        "hwmon/hwmon5/temp2_crit": "100000\n",
        "hwmon/hwmon5/temp3_label": "mem\n",
        "hwmon/hwmon5/temp3_input": "62000\n",
    }


def apu() -> Files:
    """Graphics inside a processor: a small carve-out, the rest is the system's memory."""
    return {
        "gpu_busy_percent": "3\n",
        "mem_info_vram_used": f"{100 << 20}\n",
        "mem_info_vram_total": f"{512 << 20}\n",
        "mem_info_gtt_used": f"{50 << 20}\n",
        "mem_info_gtt_total": f"{8 << 30}\n",
        "gpu_metrics": metrics_2_2(0),
        "hwmon/hwmon1/temp1_label": "edge\n",
        "hwmon/hwmon1/temp1_input": "45000\n",
        "hwmon/hwmon1/freq1_input": "400000000\n",
        "hwmon/hwmon1/power1_average": "9000000\n",
    }


def xe_card(energy_uj: int = 1_000_000_000) -> Files:
    """An Intel card under the xe driver."""
    throttle = "tile0/gt0/freq0/throttle/"
    return {
        "tile0/gt0/freq0/act_freq": "2400\n",
        "tile0/gt0/freq0/rp0_freq": "2850\n",
        f"{throttle}status": "1\n",
        f"{throttle}reason_pl1": "1\n",
        f"{throttle}reason_thermal": "0\n",
        f"{throttle}reason_vr_tdc": "0\n",
        "hwmon/hwmon4/power1_max": "0\n",
        "hwmon/hwmon4/power2_max": "190000000\n",
        "hwmon/hwmon4/energy1_input": f"{energy_uj}\n",
        "hwmon/hwmon4/temp2_label": "pkg\n",
        "hwmon/hwmon4/temp2_input": "58000\n",
    }


def add(
    root: Path,
    number: int,
    address: str,
    pci_id: str,
    files: Files,
    *,
    driver: str = "amdgpu",
    bridges: Files | None = None,
) -> Path:
    """Put a card into the tree; the directory of its PCI device, below its own switch if any."""
    parent = root / "sys/devices/pci0000:00/0000:00:01.1"
    put(parent, {"vendor": "0x1022\n", "class": "0x060400\n"})
    if bridges is not None:
        parent = parent / f"{address[:-2]}.up"
        put(parent, {"vendor": "0x1002\n", "class": "0x060400\n", **bridges})
        parent = parent / f"{address[:-2]}.down"
        put(parent, {"vendor": "0x1002\n", "class": "0x060400\n", **_inner_link()})
    device = parent / address
    event = f"DRIVER={driver}\nPCI_CLASS=30000\nPCI_ID={pci_id}\nPCI_SLOT_NAME={address}\n"
    put(device, {"uevent": event, **files})
    card = root / f"sys/class/drm/card{number}"
    card.parent.mkdir(parents=True, exist_ok=True)
    inner = device / f"drm/card{number}"
    inner.mkdir(parents=True, exist_ok=True)
    card.symlink_to(os.path.relpath(inner, card.parent))
    (inner / "device").symlink_to("../..")
    return device


def _inner_link() -> Files:
    return {
        "current_link_speed": "16.0 GT/s PCIe\n",
        "current_link_width": "16\n",
        "max_link_speed": "16.0 GT/s PCIe\n",
        "max_link_width": "16\n",
    }


def put(directory: Path, files: Files) -> None:
    """Write ``files`` below ``directory``."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
