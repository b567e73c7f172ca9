"""The kinds of problem that pack files can have. K1xx: the file; K2xx: single values; K3xx: values together."""

from mps_bill.core.diagnostics import Kind

NO_SUCH_PACKS = Kind("K101", "no-such-packs")

UNKNOWN_FORMAT = Kind("K201", "unknown-format")
BAD_VALIDITY = Kind("K202", "bad-validity")
BAD_SIZE = Kind("K203", "bad-pack-size")
BAD_PRICE = Kind("K204", "bad-pack-price")
BAD_ID = Kind("K205", "bad-id")
BAD_LINE = Kind("K206", "bad-text")

OTHER_CURRENCY = Kind("K301", "other-currency")
UNKNOWN_REGION = Kind("K302", "unknown-region")
UNIT_MISMATCH = Kind("K303", "unit-mismatch")
DUPLICATE_SIZE = Kind("K304", "duplicate-pack-size")
DUPLICATE_SPEC = Kind("K305", "duplicate-spec")
