"""The kinds of problem that price sheets can have.

P0xx: finding files. P1xx: the form of a document, shared by all documents that the program reads (P101 to P119 in
`documents.yaml_tree`, P121 to P139 in `documents.fields`). P2xx: single values. P3xx: items and prices. P4xx: periods, and
several sheets together. P5xx: usage cases. P9xx: warnings, which do not stop a bill but should be looked at.
"""

from mps_bill.core.diagnostics import Kind

NO_SUCH_SHEET = Kind("P001", "no-such-sheet")
UNREADABLE_FILE = Kind("P002", "unreadable-file")
NO_SHEETS = Kind("P003", "no-sheets")
NO_CASES = Kind("P004", "no-cases")
CASES_WITHOUT_SHEET = Kind("P005", "cases-without-sheet")

UNKNOWN_FORMAT = Kind("P201", "unknown-format")
BAD_ID = Kind("P202", "bad-id")
BAD_CURRENCY = Kind("P203", "bad-currency")
BAD_NAME = Kind("P204", "bad-name")
BAD_TIME = Kind("P205", "bad-time")
BAD_DATE = Kind("P206", "bad-date")
BAD_URL = Kind("P207", "bad-url")
BAD_OFFSET = Kind("P208", "bad-offset")
BAD_DURATION = Kind("P209", "bad-duration")
BAD_PLACES = Kind("P210", "bad-decimal-places", former="bad-places")
BAD_PRICE = Kind("P211", "bad-price")
BAD_QUANTITY = Kind("P212", "bad-quantity")
BAD_FACTOR = Kind("P213", "bad-factor")
BAD_SIZE = Kind("P214", "bad-size")
BAD_REGION = Kind("P215", "bad-region")
BAD_GROUP_NAME = Kind("P216", "bad-group-name")
BAD_SPEC = Kind("P217", "bad-spec")
BAD_TEMPLATE = Kind("P218", "bad-spec-template", former="bad-template")
BAD_BOUND = Kind("P219", "bad-tier-bound", former="bad-bound")
UNKNOWN_CYCLE = Kind("P221", "unknown-cycle")
UNKNOWN_SETTLEMENT = Kind("P222", "unknown-settlement")
UNKNOWN_ROUNDING = Kind("P223", "unknown-rounding")
UNKNOWN_FAMILY = Kind("P224", "unknown-family")
UNKNOWN_UNIT = Kind("P225", "unknown-unit")
UNKNOWN_METERING = Kind("P226", "unknown-metering")
UNKNOWN_TIER_MODEL = Kind("P227", "unknown-tier-model")
UNKNOWN_TIER_PERIOD = Kind("P228", "unknown-tier-period")
UNKNOWN_TIER_SCOPE = Kind("P229", "unknown-tier-scope")
UNKNOWN_LANGUAGE = Kind("P230", "unknown-language")

DUPLICATE_SOURCE = Kind("P301", "duplicate-source")
UNKNOWN_SOURCE = Kind("P302", "unknown-source")
UNORDERED_RESOLUTIONS = Kind("P303", "unordered-resolutions")
UNKNOWN_RESOLUTION_SET = Kind("P304", "unknown-resolution-set")
MISSING_RESOLUTIONS = Kind("P305", "missing-resolutions")
NEEDLESS_RESOLUTIONS = Kind("P306", "unused-resolutions", former="needless-resolutions")
UNKNOWN_RESOLUTION = Kind("P307", "unknown-resolution")
UNPRICED_TEMPLATE = Kind("P308", "spec-without-price", former="unpriced-template")
UNKNOWN_REGION = Kind("P309", "unknown-region")
OVERLAPPING_GROUPS = Kind("P310", "overlapping-groups")
NEEDLESS_STEP = Kind("P311", "unused-step", former="needless-step")
MISSING_STEP = Kind("P312", "missing-step")
MISSING_ROUNDING = Kind("P313", "missing-rounding")
UNEVEN_MINIMUM = Kind("P314", "minimum-not-multiple-of-step", former="uneven-minimum")
UNORDERED_TIERS = Kind("P315", "unordered-tiers")
MISSING_REST = Kind("P316", "missing-rest")
MISPLACED_REST = Kind("P317", "rest-not-last", former="misplaced-rest")
LONE_REST = Kind("P318", "single-tier", former="lone-rest")
UNKNOWN_BASE = Kind("P319", "unknown-base-item")
DERIVED_BASE = Kind("P320", "base-item-without-prices", former="derived-base-item")
TEMPLATE_MISMATCH = Kind("P321", "placeholder-mismatch", former="template-mismatch")
UNIT_MISMATCH = Kind("P322", "unit-mismatch")
OVERLONG_PRICE = Kind("P323", "too-many-price-decimals", former="overlong-price")
NEEDLESS_ACROSS = Kind("P324", "unused-across")
PRICED_ANYWAY = Kind("P325", "priced-and-unpriced")
NEEDLESS_BEFORE = Kind("P326", "unused-before")
WRONG_ALIAS = Kind("P327", "bad-spec-alias")

EMPTY_PERIOD = Kind("P401", "empty-period")
OFF_CYCLE_TIME = Kind("P402", "not-at-cycle-start", former="off-cycle-time")
DUPLICATE_VERSION = Kind("P403", "duplicate-version")
OVERLAPPING_VERSIONS = Kind("P404", "overlapping-versions")
COMPETING_SHEETS = Kind("P405", "competing-sheets")
CALENDAR_MISMATCH = Kind("P406", "calendar-mismatch")
SHARED_ITEM = Kind("P407", "item-in-two-products", former="shared-item")
MIXED_CURRENCIES = Kind("P408", "mixed-currencies")
SHARED_ID = Kind("P409", "reused-id", former="shared-id")

BAD_AMOUNT = Kind("P501", "bad-amount")
UNKNOWN_REFUSAL = Kind("P502", "unknown-refusal")
EMPTY_EXPECTATION = Kind("P503", "nothing-expected", former="empty-expectation")
MIXED_EXPECTATION = Kind("P504", "refusal-and-amounts", former="mixed-expectation")
DUPLICATE_CASE = Kind("P505", "duplicate-case")

COVERAGE_HOLE = Kind("P901", "missing-price", former="coverage-hole")
PERIOD_GAP = Kind("P902", "period-gap")
RISING_TIER = Kind("P903", "rising-tier")
CHEAPER_RESOLUTION = Kind("P904", "cheaper-higher-resolution", former="cheaper-resolution")
CHEAPER_H265 = Kind("P905", "cheaper-h265")
PRICE_OUTLIER = Kind("P906", "price-outlier")
STALE_SOURCE = Kind("P907", "stale-source")
FUTURE_SHEET = Kind("P908", "future-sheet")
UNUSED_IGNORE = Kind("P909", "unused-ignore")
BAD_IGNORE = Kind("P910", "bad-ignore")
FAR_FROM_REFERENCE = Kind("P911", "far-from-reference")
PRICE_JUMP = Kind("P912", "price-jump")
ENDED_PRICE = Kind("P913", "ended-price")
CHANGED_RULE = Kind("P914", "changed-rule")
MISSPELT_SPEC = Kind("P915", "misspelt-spec")
MISSPELT_REGION = Kind("P916", "misspelt-region")
UNUSED_GROUP = Kind("P917", "unused-group")
MISSING_RESOLUTION = Kind("P918", "missing-resolution")
DUPLICATE_NAME = Kind("P919", "duplicate-name")
MISSING_SPEC = Kind("P920", "missing-spec")
UNKNOWN_CURRENCY = Kind("P921", "unknown-currency")
READ_IN_FUTURE = Kind("P922", "read-in-future")
NOT_AT_MIDNIGHT = Kind("P923", "not-at-midnight")
MISSPELT_ITEM = Kind("P924", "misspelt-item")

#: Warnings that depend on today's date, so that they come and go without a change of the sheet.
BY_CALENDAR = (STALE_SOURCE, FUTURE_SHEET)
#: Warnings that a unit price looks wrong. Only the first of these is reported; the others would repeat it.
OF_A_FIGURE = (PRICE_OUTLIER, PRICE_JUMP, FAR_FROM_REFERENCE, RISING_TIER, CHEAPER_RESOLUTION, CHEAPER_H265)
#: Kinds that may be consequences of others, from the closest to the cause. All other errors come before them.
NEAREST_TO_THE_CAUSE = (
    UNKNOWN_REGION,
    MISSPELT_SPEC,
    MISSPELT_REGION,
    MISSPELT_ITEM,
    NOT_AT_MIDNIGHT,
    PERIOD_GAP,
    FUTURE_SHEET,
    MISSING_SPEC,
    CHANGED_RULE,
    ENDED_PRICE,
    MISSING_RESOLUTION,
    COVERAGE_HOLE,
    *OF_A_FIGURE,
)


def own_kinds() -> list[Kind]:
    """Return the kinds of this module; each has a section in docs/codes.md."""
    return [kind for kind in globals().values() if isinstance(kind, Kind)]


def every_kind() -> tuple[Kind, ...]:
    """Return all kinds that the checks of price sheets and of their cases report, including those of a document's form."""
    from mps_bill.documents import fields, yaml_tree

    of_form = [kind for module in (yaml_tree, fields) for kind in vars(module).values() if isinstance(kind, Kind)]
    # These are the defaults of definitions; that of price sheets always names its own kinds.
    return tuple(sorted({*own_kinds(), *of_form} - {fields.BAD_VALUE, fields.UNKNOWN_WORD}))


def is_warning(kind: Kind) -> bool:
    """Whether the kind does not stop a bill."""
    return kind.code.startswith("P9")


def is_file_problem(kind: Kind) -> bool:
    """Whether a file could not be found or read, so that nothing in it was checked."""
    return kind.code.startswith("P0")
