"""Our words in those of the FinOps Open Cost and Usage Specification (FOCUS) 1.0, and the names that it asks for."""

from __future__ import annotations

PROVIDER = "Alibaba Cloud"
PLAN_TYPE = "Resource plan"
#: A bill by itself belongs to no account, but the specification does not allow an empty account.
NO_ACCOUNT = "unassigned"

#: The columns of the specification, in the order in which it lists them.
COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingQuantity",
    "PricingUnit",
    "ProviderName",
    "PublisherName",
    "RegionId",
    "RegionName",
    "ResourceId",
    "ResourceName",
    "ResourceType",
    "ServiceCategory",
    "ServiceName",
    "SkuId",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "Tags",
)

#: product -> category of the specification, name of the service. Any other product is of the category "Other".
SERVICES = {
    "mps": ("Media", "ApsaraVideo Media Processing"),
    "oss": ("Storage", "Object Storage Service"),
    "cdn": ("Networking", "Alibaba Cloud CDN"),
    "kms": ("Security", "Key Management Service"),
    "mns": ("Integration", "Message Service"),
}

#: Units in the plural, as the specification writes them. The provider's GB has 1024 MB, which is a GiB there.
UNITS = {
    "second": "Seconds",
    "minute": "Minutes",
    "hour": "Hours",
    "day": "Days",
    "MB": "MiB",
    "GB": "GiB",
    "TB": "TiB",
    "GB-hour": "GiB-Hours",
    "GB-month": "GiB-Months",
    "frame": "Frames",
    "image": "Images",
    "request": "Requests",
    "message": "Messages",
}

#: Names of regions as the provider's consoles print them. A region that is not here goes by its id.
REGION_NAMES = {
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
    "na-south-1": "Mexico",
    "eu-central-1": "Germany (Frankfurt)",
    "eu-west-1": "UK (London)",
    "me-east-1": "UAE (Dubai)",
    "me-central-1": "Saudi Arabia (Riyadh)",
    "CN": "Chinese mainland",
}
