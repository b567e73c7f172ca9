"""The kinds of problem of reconciliation. R1xx: export files; R2xx: their rows; R3xx: mappings."""

from mps_bill.core.diagnostics import Kind

UNREADABLE_FILE = Kind("R101", "unreadable-export")
UNKNOWN_ENCODING = Kind("R102", "unknown-encoding")
BROKEN_CSV = Kind("R103", "broken-csv")
BROKEN_JSON = Kind("R104", "broken-json")
NO_ROWS = Kind("R105", "no-bill-rows")
MISSING_COLUMN = Kind("R106", "missing-export-column")
REPEATED_COLUMN = Kind("R107", "repeated-export-column")
INCOMPLETE_EXPORT = Kind("R108", "incomplete-export")
REPEATED_EXPORT = Kind("R109", "repeated-export")
PROVIDER_ERROR = Kind("R110", "error-of-the-provider")

WRONG_ROW_LENGTH = Kind("R201", "wrong-row-length")
BAD_AMOUNT = Kind("R202", "bad-export-amount")
BAD_TIME = Kind("R203", "bad-export-time")
NO_PERIOD = Kind("R204", "no-period")
OTHER_CURRENCY = Kind("R205", "other-currency")
NOT_A_VALUE = Kind("R206", "not-a-value")
BAD_PERIOD = Kind("R207", "bad-period")
REPEATED_ROW = Kind("R208", "repeated-row")
REWRITTEN_TIME = Kind("R209", "rewritten-time")

UNREADABLE_MAPPING = Kind("R301", "unreadable-mapping")
UNKNOWN_FORMAT = Kind("R302", "unknown-mapping-format")
BAD_NAME = Kind("R303", "bad-mapping-name")
UNKNOWN_UNIT = Kind("R304", "unknown-unit")
BAD_REGION = Kind("R305", "bad-region")
REPEATED_NAME = Kind("R306", "repeated-name")
UNKNOWN_COLUMN = Kind("R307", "unknown-column")
