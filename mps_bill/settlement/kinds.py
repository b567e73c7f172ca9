"""The kinds of problem that account files can have. A1xx: the file; A2xx: single values; A3xx: values together."""

from mps_bill.core.diagnostics import Kind

UNREADABLE_FILE = Kind("A101", "unreadable-account")
LOCKED = Kind("A102", "account-in-use")

UNKNOWN_FORMAT = Kind("A201", "unknown-format")
BAD_ID = Kind("A202", "bad-id")
BAD_NAME = Kind("A203", "bad-name")
BAD_CURRENCY = Kind("A204", "bad-currency")
BAD_MONEY = Kind("A205", "bad-money")
BAD_QUANTITY = Kind("A206", "bad-quantity")
BAD_COEFFICIENT = Kind("A207", "bad-coefficient")
BAD_TIME = Kind("A208", "bad-time")
BAD_MONTH = Kind("A209", "bad-month")
UNKNOWN_UNIT = Kind("A210", "unknown-unit")
UNKNOWN_ORDER = Kind("A211", "unknown-voucher-order")

DUPLICATE_ID = Kind("A301", "duplicate-id")
EMPTY_VALIDITY = Kind("A302", "empty-validity")
EXCESSIVE_REMAINING = Kind("A303", "excessive-remaining")
EXCESSIVE_CREDIT = Kind("A304", "excessive-credit")
UNKNOWN_ITEM = Kind("A305", "unknown-item")
UNKNOWN_SPEC = Kind("A306", "unknown-spec")
UNKNOWN_REGION = Kind("A307", "unknown-region")
UNIT_MISMATCH = Kind("A308", "unit-mismatch")
OTHER_CURRENCY = Kind("A309", "other-currency")
UNKNOWN_PRODUCT = Kind("A310", "unknown-product")
DUPLICATE_ENTRY = Kind("A311", "duplicate-entry")
UNREPAID_BALANCE = Kind("A312", "unrepaid-balance")
FINER_BILLS = Kind("A313", "finer-bills")
