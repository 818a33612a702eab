"""Names of providers, and what they run."""

from __future__ import annotations

import re

PROVIDERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), name)
    for pattern, name in (
        (r"Amazon EC2", "aws"),
        (r"Google(?: Compute Engine|$)", "gce"),
        (r"Alibaba Cloud", "alibaba"),
        (r"Tencent Cloud|TencentCloud", "tencent"),
        (r"OpenStack", "openstack"),
        (r"DigitalOcean", "digitalocean"),
        (r"Hetzner", "hetzner"),
        (r"Scaleway", "scaleway"),
        (r"OVH", "ovh"),
        (r"Vultr", "vultr"),
        (r"Linode|Akamai", "linode"),
        (r"UpCloud", "upcloud"),
        (r"Exoscale", "exoscale"),
        (r"HUAWEICLOUD|Huawei Cloud|HuaweiCloud", "huawei"),
        (r"CloudSigma", "cloudsigma"),
        (r"Brightbox", "brightbox"),
        (r"e24cloud|E24Cloud", "e24cloud"),
        (r"ZStack", "zstack"),
        (r"CloudStack", "cloudstack"),
        (r"IBM:Cloud", "ibm"),
        (r"Yandex", "yandex"),
        (r"3DS Outscale", "outscale"),
        (r"Volcengine|ByteDance", "volcengine"),
        (r"Baidu Cloud|BaiduCloud", "baidu"),
        (r"(?:JD|jd)\.?Cloud|JDCloud", "jdcloud"),
        (r"UCloud", "ucloud"),
        (r"Kamatera", "kamatera"),
        (r"Gcore|GCORE", "gcore"),
        (r"CoreWeave", "coreweave"),
        (r"Nebius", "nebius"),
        (r"NWCS$", "nwcs"),
        (r"Tilaa$", "tilaa"),
    )
)
"""How a vendor field begins, and the provider's short name."""

HYPERVISOR_OF = {
    "aws": "kvm",
    "gce": "kvm",
    "azure": "hyperv",
    "oci": "kvm",
    "alibaba": "kvm",
    "tencent": "kvm",
    "openstack": "kvm",
    "digitalocean": "kvm",
    "hetzner": "kvm",
    "scaleway": "kvm",
    "ovh": "kvm",
    "vultr": "kvm",
    "linode": "kvm",
    "upcloud": "kvm",
    "exoscale": "kvm",
    "huawei": "kvm",
    "outscale": "kvm",
    "yandex": "kvm",
}
"""What a provider's guests run on today: the last resort for a name, never for a verdict."""
