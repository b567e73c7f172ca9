"""The kinds of problem that usage can have. U1xx: the file and its rows; U2xx: values; U3xx: no price; U4xx: repeats;
U5xx: resources."""

from mps_bill.core.diagnostics import Kind

NO_FILE = Kind("U101", "no-file")
UNREADABLE_FILE = Kind("U102", "unreadable-file")
EMPTY_FILE = Kind("U103", "empty-file")
REPEATED_FILE = Kind("U104", "repeated-file")
MISSING_COLUMN = Kind("U105", "missing-column")
REPEATED_COLUMN = Kind("U106", "repeated-column")
UNKNOWN_COLUMN = Kind("U107", "unknown-column")
SHORT_ROW = Kind("U108", "short-row")
LONG_ROW = Kind("U109", "long-row")
NOT_UTF8 = Kind("U110", "not-utf-8")
CONTROL_CHARACTER = Kind("U111", "control-character")
UNCLOSED_QUOTE = Kind("U112", "unclosed-quote")
STRAY_QUOTE = Kind("U113", "stray-quote")
OVERLONG_ROW = Kind("U114", "overlong-row")
INEXACT_COLUMN = Kind("U115", "inexact-column")
MANY_ACCOUNTS = Kind("U116", "many-accounts")

MISSING_VALUE = Kind("U201", "missing-value")
BAD_TIME = Kind("U202", "bad-time")
BAD_QUANTITY = Kind("U203", "bad-quantity")
BAD_SIZE = Kind("U204", "bad-size")
UNKNOWN_STATUS = Kind("U205", "unknown-status")

UNKNOWN_ITEM = Kind("U301", "unknown-item")
UNKNOWN_REGION = Kind("U302", "unknown-region")
UNKNOWN_UNIT = Kind("U303", "unknown-unit")
UNIT_MISMATCH = Kind("U304", "unit-mismatch")
UNKNOWN_CODEC = Kind("U305", "unknown-codec")
UNKNOWN_SPEC = Kind("U306", "unknown-spec")
SPEC_MISMATCH = Kind("U307", "spec-mismatch")
NO_BUCKET = Kind("U308", "picture-too-large", former="no-bucket")
NO_PRICE = Kind("U309", "no-price")
NO_PRICE_SHEET = Kind("U310", "no-price-sheet")

CONFLICTING_REPEAT = Kind("U401", "conflicting-repeat")

NO_MEMORY = Kind("U501", "out-of-memory")
NO_DISK = Kind("U502", "temporary-disk-full")
NO_ENGINE = Kind("U503", "no-engine")
