"""The region ids that are known without a sheet naming them."""

from __future__ import annotations

import re

_REGIONS = """
cn-qingdao cn-beijing cn-zhangjiakou cn-huhehaote cn-wulanchabu cn-hangzhou cn-shanghai cn-nanjing cn-fuzhou cn-wuhan-lr
cn-shenzhen cn-heyuan cn-guangzhou cn-chengdu cn-hongkong
ap-northeast-1 ap-northeast-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-5 ap-southeast-6 ap-southeast-7
ap-south-1 us-west-1 us-east-1 us-southeast-1 na-south-1 eu-central-1 eu-west-1 me-east-1 me-central-1
"""
#: Alibaba Cloud's public regions.
REGIONS = tuple(_REGIONS.split())
#: The billing areas of content delivery, which is not sold by region: the mainland of China, North America, Europe, three of
#: Asia and the Pacific, the Middle East and Africa, South America.
AREAS: tuple[str, ...] = ("CN", "NA", "EU", "AP1", "AP2", "AP3", "MEAA", "SA")
KNOWN: frozenset[str] = frozenset(REGIONS + AREAS)

#: A region id has a continent or country of two letters, then parts; a group's name must not look like that.
REGION_ID = r"[a-z]{2}(-[a-z0-9]+)+"
_REGION_ID = re.compile(REGION_ID)


def looks_like_region(text: str) -> bool:
    return text in AREAS or bool(_REGION_ID.fullmatch(text))
