"""Makers of computers whose name alone says that there is hardware."""

from __future__ import annotations

import re

WELL_KNOWN = re.compile(
    r"(?i)(?:acer|alienware|ampere|apple|asrock(?:rack)?|asus(?:tek)?|atos|biostar|bull|cisco|clevo|compaq|dell"
    r"|ecs|elitegroup|foxconn|framework|fujitsu|gateway|giga-?byte|google|h3c|hewlett|hp|hpe"
    r"|huawei|ibm|inspur|intel|lenovo|lg electronics|loongson|medion|micro-star|microsoft|msi|nec"
    r"|nvidia|oracle|packard bell|panasonic|pegatron|phytium|quanta|raspberry pi|razer|samsung"
    r"|shuttle|solidrun|sony|sugon|sun microsystems|super ?micro|system76|toshiba|tuxedo|tyan"
    r"|wiwynn|xfusion|zte)\b"
)
"""The makers of nine of ten machines of linux-hardware.org, and of the servers in data centres. Of
any other, a second name is asked for: the firmware's or the board's."""
