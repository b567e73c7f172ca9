"""The built-in regions: their ids, and their names in the provider's consoles."""

from __future__ import annotations

import re

#: Alibaba Cloud's public regions.
REGIONS = {
    "cn-qingdao": "China (Qingdao)",
    "cn-beijing": "China (Beijing)",
    "cn-zhangjiakou": "China (Zhangjiakou)",
    "cn-huhehaote": "China (Hohhot)",
    "cn-wulanchabu": "China (Ulanqab)",
    "cn-hangzhou": "China (Hangzhou)",
    "cn-shanghai": "China (Shanghai)",
    "cn-nanjing": "China (Nanjing - Local Region)",
    "cn-fuzhou": "China (Fuzhou - Local Region)",
    "cn-wuhan-lr": "China (Wuhan - Local Region)",
    "cn-shenzhen": "China (Shenzhen)",
    "cn-heyuan": "China (Heyuan)",
    "cn-guangzhou": "China (Guangzhou)",
    "cn-chengdu": "China (Chengdu)",
    "cn-hongkong": "China (Hong Kong)",
    "ap-northeast-1": "Japan (Tokyo)",
    "ap-northeast-2": "South Korea (Seoul)",
    "ap-southeast-1": "Singapore",
    "ap-southeast-2": "Australia (Sydney)",
    "ap-southeast-3": "Malaysia (Kuala Lumpur)",
    "ap-southeast-5": "Indonesia (Jakarta)",
    "ap-southeast-6": "Philippines (Manila)",
    "ap-southeast-7": "Thailand (Bangkok)",
    "ap-south-1": "India (Mumbai)",
    "us-west-1": "US (Silicon Valley)",
    "us-east-1": "US (Virginia)",
    "us-southeast-1": "US (Atlanta)",
    "na-south-1": "Mexico",
    "eu-central-1": "Germany (Frankfurt)",
    "eu-west-1": "UK (London)",
    "me-east-1": "UAE (Dubai)",
    "me-central-1": "Saudi Arabia (Riyadh)",
}
#: The billing areas of content delivery, which is not sold by region.
AREAS = {
    "CN": "Chinese mainland",
    "NA": "North America",
    "EU": "Europe",
    "AP1": "Asia Pacific 1",
    "AP2": "Asia Pacific 2",
    "AP3": "Asia Pacific 3",
    "MEAA": "Middle East and Africa",
    "SA": "South America",
}
NAMES = {**REGIONS, **AREAS}
KNOWN = frozenset(NAMES)

#: A region id has a continent or country of two letters, then parts; a group's name must not look like one.
REGION_ID = r"[a-z]{2}(-[a-z0-9]+)+"
_REGION_ID = re.compile(REGION_ID)


def looks_like_region(text: str) -> bool:
    return text in AREAS or bool(_REGION_ID.fullmatch(text))
