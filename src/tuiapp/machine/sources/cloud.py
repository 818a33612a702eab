"""Whose machine it is, as far as its firmware says so."""

from __future__ import annotations

import re

from tuiapp.errors import Unavailable
from tuiapp.machine.report import CERTAIN, LIKELY
from tuiapp.machine.sources.base import Notes
from tuiapp.machine.sources.clouds import PROVIDERS
from tuiapp.machine.sources.dmi import AZURE_TAG, FOLDER, is_provider
from tuiapp.machine.spelling import spelled

VENDOR_FIELDS = ("sys_vendor", "product_name", "bios_vendor", "chassis_vendor", "chassis_asset_tag")
TAGS = (
    ("chassis_asset_tag", re.escape(AZURE_TAG), "azure"),
    ("chassis_asset_tag", r"OracleCloud\.com", "oci"),
    ("chassis_asset_tag", r"HUAWEICLOUD", "huawei"),
    ("chassis_asset_tag", r"OpenTelekomCloud", "otc"),
    ("chassis_asset_tag", r"IBM:Cloud", "ibm"),
    ("chassis_asset_tag", r"OpenStack (?:Nova|Compute)", "openstack"),
    ("chassis_asset_tag", r"SAP CCloud VM", "sap"),
    ("chassis_asset_tag", r"Samsung Cloud Platform", "samsung"),
    ("chassis_asset_tag", r"\d+\.zstack\.io", "zstack"),
    ("bios_version", r"[\d.]+\.amazon", "aws"),
    ("product_name", r"Alibaba Cloud ECS", "alibaba"),
    ("product_name", r"CloudCIX", "cloudcix"),
    ("product_name", r"Exoscale Compute Platform", "exoscale"),
    ("product_name", r"SmartDC HVM", "joyent"),
    ("product_family", r"NVIDIA Cloud|Crusoe", "crusoe"),
)


def look(notes: Notes) -> None:
    """Match vendors and tags; hardware that a provider sells carries its name as well."""
    found: dict[str, str] = {}
    for field in {*VENDOR_FIELDS, *(tag[0] for tag in TAGS)}:
        try:
            found[field] = notes.tree.text(f"{FOLDER}/{field}")
        except Unavailable:
            continue  # the DMI source says why
    for field, pattern, name in TAGS:
        if re.match(pattern, found.get(field, "")):
            _add(notes, field, found[field], name, CERTAIN)
    for field in VENDOR_FIELDS:
        text = found.get(field, "")
        provider = next((one for pattern, one in PROVIDERS if pattern.match(text)), None)
        if provider and is_provider(text, found.get("product_name", "")):
            _add(notes, field, text, provider, LIKELY)


def _add(notes: Notes, field: str, text: str, name: str, strength: str) -> None:
    notes.add(
        f"{FOLDER}/{field}", text, f"the provider is {spelled(name)}", f"cloud={name}", strength
    )
