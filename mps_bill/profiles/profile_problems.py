"""The kinds of problem of import profiles. I1xx: finding and reading files; I2xx: records; I3xx: profiles themselves."""

from mps_bill.core.diagnostics import Kind

NO_SUCH_PROFILE = Kind("I101", "no-such-profile")
UNREADABLE_FILE = Kind("I102", "unreadable-file")
BAD_JSON = Kind("I103", "bad-json")
NOT_UTF8 = Kind("I104", "not-utf-8")
OTHER_KIND_OF_FILE = Kind("I105", "other-kind-of-file")
MISSING_FIELD = Kind("I106", "missing-field")
REPEATED_FIELD = Kind("I107", "repeated-field")
INCOMPLETE_ANSWER = Kind("I108", "incomplete-answer")
DAILY_SUMS = Kind("I109", "daily-sums")
BAD_XML = Kind("I110", "bad-xml")
NO_PROFILE = Kind("I111", "no-profile")

NO_RECORDS = Kind("I201", "no-records")
UNKNOWN_WORD = Kind("I202", "unknown-word")
BAD_EPOCH = Kind("I203", "bad-unix-time")
NOT_A_VALUE = Kind("I204", "not-a-value")
BAD_CHARACTER = Kind("I205", "bad-character")
UNMET_CONDITION = Kind("I206", "unmet-condition")
MISSING_VALUE = Kind("I207", "missing-value")

UNKNOWN_FORMAT = Kind("I301", "unknown-format")
BAD_ID = Kind("I302", "bad-id")
BAD_NAME = Kind("I303", "bad-name")
BAD_PATH = Kind("I304", "bad-path")
UNKNOWN_COLUMN = Kind("I305", "unknown-column")
BAD_TEMPLATE = Kind("I306", "bad-template")
BAD_OFFSET = Kind("I307", "bad-offset")
UNKNOWN_TIME = Kind("I308", "unknown-time")
MISSING_COLUMNS = Kind("I310", "missing-columns")
NEEDLESS_KEY = Kind("I309", "unused-key")
