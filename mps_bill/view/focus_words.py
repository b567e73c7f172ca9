"""Our words in those of the FinOps Open Cost and Usage Specification (FOCUS) 1.2, and the names that it asks for."""

from __future__ import annotations

from mps_bill.core.units import Unit

PROVIDER = "Alibaba Cloud"
ACCOUNT_TYPE = "Alibaba Cloud account"
PLAN_TYPE = "Resource plan"
#: A bill by itself belongs to no account, but the specification does not allow an empty account.
NO_ACCOUNT = "unassigned"

#: The columns of 1.2, and the two names of providers of 1.3, in the order of the alphabet, as the specification lists them.
COLUMNS = (
    "AvailabilityZone",
    "BilledCost",
    "BillingAccountId",
    "BillingAccountName",
    "BillingAccountType",
    "BillingCurrency",
    "BillingPeriodEnd",
    "BillingPeriodStart",
    "CapacityReservationId",
    "CapacityReservationStatus",
    "ChargeCategory",
    "ChargeClass",
    "ChargeDescription",
    "ChargeFrequency",
    "ChargePeriodEnd",
    "ChargePeriodStart",
    "CommitmentDiscountCategory",
    "CommitmentDiscountId",
    "CommitmentDiscountName",
    "CommitmentDiscountQuantity",
    "CommitmentDiscountStatus",
    "CommitmentDiscountType",
    "CommitmentDiscountUnit",
    "ConsumedQuantity",
    "ConsumedUnit",
    "ContractedCost",
    "ContractedUnitPrice",
    "EffectiveCost",
    "HostProviderName",
    "InvoiceId",
    "InvoiceIssuerName",
    "ListCost",
    "ListUnitPrice",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyContractedUnitPrice",
    "PricingCurrencyEffectiveCost",
    "PricingCurrencyListUnitPrice",
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
    "ServiceProviderName",
    "ServiceSubcategory",
    "SkuId",
    "SkuMeter",
    "SkuPriceDetails",
    "SkuPriceId",
    "SubAccountId",
    "SubAccountName",
    "SubAccountType",
    "Tags",
)

#: product -> category and subcategory of the specification, name of the service.
SERVICES = {
    "mps": ("Media", "Other (Media)", "ApsaraVideo Media Processing"),
    "oss": ("Storage", "Object Storage", "Object Storage Service"),
    "cdn": ("Networking", "Content Delivery", "Alibaba Cloud CDN"),
    "kms": ("Security", "Secret Management", "Key Management Service"),
    "mns": ("Integration", "Messaging", "Message Service"),
}
#: What any other product is.
OTHER_SERVICE = ("Other", "Other (Other)")

#: The provider's GB has 1024 MB, which is a GiB in the words of the specification.
_BINARY = {"MB": "MiB", "GB": "GiB", "TB": "TiB"}


def unit_name(unit: Unit) -> str:
    """A unit in the plural, as the specification writes it: `Minutes`, `GiB-Hours`."""
    return "-".join(_BINARY.get(part) or f"{part.capitalize()}s" for part in unit.name.split("-"))
