"""What each kind of problem of a price sheet means and what to do about it, in words for the person who keeps the sheet.

The documentation of the codes and the rules of SARIF reports are made from this table.
"""

from __future__ import annotations

from collections.abc import Mapping

from mps_bill.core.diagnostics import Kind
from mps_bill.documents import shapes, yaml_tree
from mps_bill.price_sheet import sheet_problems as kinds
from mps_bill.price_sheet.price_kinds import PRICE_KINDS
from mps_bill.price_sheet.price_kinds.tiers import TieredPrice

_MODELS = " or ".join(f"`{kind.model}` ({kind.meaning})" for kind in PRICE_KINDS if issubclass(kind, TieredPrice))

EXPLANATIONS: Mapping[Kind, str] = {
    # Finding files
    kinds.NO_SUCH_SHEET: (
        "The name is not a file, a folder or a shipped sheet. `mps-bill prices list` lists the shipped ones."
    ),
    kinds.UNREADABLE_FILE: "The file exists but cannot be read, usually because of its permissions.",
    kinds.NO_SHEETS: (
        "A folder or pattern holds no price sheet, a file that ends in .yaml or .yml. Nothing was checked there."
    ),
    kinds.NO_CASES: "No usage cases are found. The cases of NAME.yaml are in NAME.cases.yaml beside it.",
    kinds.CASES_WITHOUT_SHEET: "Beside NAME.cases.yaml there is no NAME.yaml, the sheet that the cases are for.",
    # The form of a document
    yaml_tree.DUPLICATE_KEY: (
        "A key is given twice in one mapping. Most programs silently use the last one; this program uses neither."
        " Keep the one that is right."
    ),
    yaml_tree.NOT_UTF8: "The file is not UTF-8 text. Save it as UTF-8 in your editor.",
    yaml_tree.HIDDEN_CHARACTER: (
        "A character that does not show on a screen, or that reorders what is shown, so that a person would read another"
        " sheet than the program. Remove it."
    ),
    yaml_tree.TAB: "A tab. YAML indents with spaces only, and a tab looks different in every editor.",
    yaml_tree.SYNTAX: "The text cannot be read as YAML. The message gives the parser's reason and the usual remedy.",
    yaml_tree.EMPTY_DOCUMENT: "The file holds nothing, or only comments.",
    yaml_tree.SEVERAL_DOCUMENTS: "A line `---` begins a second document. Put each sheet in a file of its own.",
    yaml_tree.NOT_A_MAPPING: "The document is a list or a single value. A sheet is lines of `key: value`.",
    yaml_tree.COMPLEX_KEY: "A key is a list or a mapping. Keys are single values.",
    yaml_tree.MERGE_KEY: "`<<` merges another mapping, so that a price is not written where it applies. Write it out.",
    yaml_tree.ANCHOR: "`&name` marks a value for use elsewhere. Write the value out where it is used.",
    yaml_tree.ALIAS: "`*name` stands for a value from elsewhere. Write the value out.",
    yaml_tree.TAG: "`!tag` changes how a value is read. A sheet's values are read as they are typed; remove the tag.",
    yaml_tree.TOO_DEEP: f"The document nests deeper than {yaml_tree.MAX_LEVELS} levels, which no sheet needs.",
    shapes.UNKNOWN_KEY: "A key that the format does not have, usually misspelt. Ignoring it could make a bill wrong.",
    shapes.MISSING_KEY: "A required key is missing.",
    shapes.CONFLICTING_KEYS: "Two keys of which only one may be given, such as `prices` and `prices_from`.",
    shapes.WRONG_NODE: "A list or mapping is given where a single value belongs, or the reverse.",
    shapes.EMPTY_VALUE: "A key without a value. In a flow mapping a comma inside a number (`0,0099`) makes this too.",
    shapes.EMPTY_COLLECTION: "A list or mapping without entries. Leave the key out, or add what belongs there.",
    shapes.DUPLICATE_ENTRY: "A value is listed twice, such as a region in a group.",
    # Single values
    kinds.UNKNOWN_FORMAT: "`format` names another format, or a version that this program does not read.",
    kinds.BAD_ID: "Ids, sites, products, item codes and names of sets are lower-case words joined by `-` or `_`.",
    kinds.BAD_CURRENCY: "A currency is three capital letters, such as USD.",
    kinds.BAD_NAME: "A name for people is one line of text, not empty, at most 200 characters.",
    kinds.BAD_TIME: (
        "A time is an ISO 8601 date and time with its offset from UTC, in whole seconds, such as 2024-04-01T00:00:00+08:00."
        " Without an offset it is not clear which hour has the new price."
    ),
    kinds.BAD_DATE: "A date is written year-month-day, such as 2026-11-23, and is a day that exists.",
    kinds.BAD_URL: "A source's `url` begins with https:// or http://.",
    kinds.BAD_OFFSET: "The billing clock is an offset from UTC, such as +08:00. Names of time zones are not taken.",
    kinds.BAD_DURATION: "A duration is a whole number and a unit: 30m, 1h or 1d.",
    kinds.BAD_PLACES: "The decimal places of a bill's amount are a whole number from 0 to 10.",
    kinds.BAD_PRICE: (
        "A price is a plain decimal with at most 10 decimal places: digits, perhaps a point and digits. No sign, exponent,"
        " leading zero, grouping or currency mark, because each of them has been read as another number somewhere."
    ),
    kinds.BAD_QUANTITY: "A step or minimum is a plain decimal above zero with at most 6 decimal places.",
    kinds.BAD_FACTOR: "The factor of `prices_from` is a plain decimal above zero with at most 6 decimal places.",
    kinds.BAD_SIZE: "A size is width x height in whole pixels, such as 1920x1080.",
    kinds.BAD_REGION: "A region id has the provider's form, such as cn-shanghai.",
    kinds.BAD_GROUP_NAME: (
        "A group's name is lower-case words joined by `_`, and must not look like a region id, or it would not be clear which"
        " of the two a price is for."
    ),
    kinds.BAD_SPEC: "A spec is parts joined by points, such as H264.HD; a resolution's name is one such part.",
    kinds.BAD_TEMPLATE: (
        "An item's `spec` is parts joined by points, each a word, {codec} or {resolution}, each of these at most once."
    ),
    kinds.BAD_BOUND: "A tier's upper bound is a plain decimal above zero in the item's unit, or `rest`.",
    kinds.UNKNOWN_CYCLE: "A billing cycle is `hour` or `day`.",
    kinds.UNKNOWN_SETTLEMENT: "Bills are settled `hourly` or `monthly`.",
    kinds.UNKNOWN_ROUNDING: "A rounding mode is `half-up`, `up` or `down`.",
    kinds.UNKNOWN_FAMILY: "A family is `transcoding`, `enhancement`, `video-ai` or `related`.",
    kinds.UNKNOWN_UNIT: "The unit is not one that the program converts exactly. The message lists the units.",
    kinds.UNKNOWN_METERING: "`per` of a metering rule is `record`, `cycle` or `none`.",
    kinds.UNKNOWN_TIER_MODEL: f"`tiers` is {_MODELS}.",
    kinds.UNKNOWN_TIER_PERIOD: "`per` of a tier table is `cycle` or `month`.",
    kinds.UNKNOWN_TIER_SCOPE: "`across` of a tier table is `item`.",
    kinds.UNKNOWN_LANGUAGE: "`names` has an item's name in another language than `name`: `zh`.",
    # Items and prices
    kinds.DUPLICATE_SOURCE: "Two sources have one id, so that items could mean either.",
    kinds.UNKNOWN_SOURCE: "An item names a source that the sheet does not have.",
    kinds.UNORDERED_RESOLUTIONS: (
        "Sizes of a resolution set must grow: a picture falls into the first that holds it, so one that is out of order"
        " would never be used, or would be used too early."
    ),
    kinds.UNKNOWN_RESOLUTION_SET: "An item names a resolution set that the sheet does not have.",
    kinds.MISSING_RESOLUTIONS: "The item's `spec` has {resolution} and the item names no resolution set.",
    kinds.NEEDLESS_RESOLUTIONS: "The item names a resolution set and its `spec` has no {resolution}.",
    kinds.UNKNOWN_RESOLUTION: "A spec names a resolution that is not in the item's set, so that no usage could reach its price.",
    kinds.UNPRICED_TEMPLATE: "No row of the price table has the spec that the item makes for its usage.",
    kinds.UNKNOWN_REGION: (
        "A price is for a region that is neither a public region, nor in a group of the sheet, nor a group. Mostly it is"
        ' misspelt; a new region becomes known by being listed in a group. "*" stands for every region.'
    ),
    kinds.OVERLAPPING_GROUPS: "Two groups that share a region both have a price for one spec, and neither would win there.",
    kinds.NEEDLESS_STEP: "`per: none` bills what was used, so that a step or rounding would do nothing.",
    kinds.MISSING_STEP: "`per: record` and `per: cycle` round to a `step`, which is not given.",
    kinds.MISSING_ROUNDING: "A `step` needs to say how quantities become whole steps: half-up, up or down.",
    kinds.UNEVEN_MINIMUM: "The minimum is not a multiple of the step, so that no rounded quantity could equal it.",
    kinds.UNORDERED_TIERS: "The bounds of tiers must ascend.",
    kinds.MISSING_REST: "The tiers do not end in `rest`, so that large quantities would have no price.",
    kinds.MISPLACED_REST: "`rest` is not the last bound. It is the price of what is above all others.",
    kinds.LONE_REST: "A tier table of `rest` alone is a flat price; write the price itself.",
    kinds.UNKNOWN_BASE: "`prices_from` names an item that the sheet does not have.",
    kinds.DERIVED_BASE: "`prices_from` names an item that has no prices of its own. Name the one that has them.",
    kinds.TEMPLATE_MISMATCH: "The two specs have different placeholders, so that rows cannot be matched.",
    kinds.UNIT_MISMATCH: "The two items are priced per different units, so that a price of one cannot be used for the other.",
    kinds.OVERLONG_PRICE: "A price times the factor has more than 10 decimal places, more than a bill shows.",
    kinds.NEEDLESS_ACROSS: (
        "`across: item` counts what a month has used in all regions and specs of the item. Tiers that are `per: cycle` do not"
        " go on from one bill to the next, and each spec and region fills its own. Write `per: month`, or leave `across` out."
    ),
    kinds.PRICED_ANYWAY: (
        "`unpriced` lists something that has a price in the price table. Remove one of the two, or give with `before`"
        " the time from which it is charged."
    ),
    kinds.NEEDLESS_BEFORE: (
        "`before` says until when a price of the sheet was not charged. Here it names no price of the sheet, or a time at which"
        " the sheet was not in force yet."
    ),
    kinds.WRONG_ALIAS: (
        "`spec_aliases` maps another spelling of a spec to the one in the price table. Here the table has no such spec, or has"
        " the other spelling as well, so that it could mean either price."
    ),
    # Periods, and sheets beside one another
    kinds.EMPTY_PERIOD: "The sheet ends before it starts, or at the same moment.",
    kinds.OFF_CYCLE_TIME: (
        "A sheet starts and ends between two billing cycles on the billing clock, because the price at the start of a"
        " cycle holds for all of it."
    ),
    kinds.DUPLICATE_VERSION: "Two files are the version of one id from the same moment.",
    kinds.OVERLAPPING_VERSIONS: (
        "`effective_to` lies after the next version of the id starts. Without `effective_to` a version ends there by itself."
    ),
    kinds.COMPETING_SHEETS: "Two ids price the same product of the same site at the same time, and neither would win.",
    kinds.CALENDAR_MISMATCH: "Versions of a product have different billing cycles, so that a cycle could belong to two sheets.",
    kinds.SHARED_ITEM: "Two products have an item of one code. Usage names items only, so each needs its own.",
    kinds.MIXED_CURRENCIES: "Sheets of one site are in different currencies. A bill has one.",
    kinds.SHARED_ID: "Sheets of one id are for different products or sites. Versions of an id share both.",
    # Usage cases
    kinds.BAD_AMOUNT: "An expected amount, price or quantity is a plain decimal; a rounding adjustment may begin with `-`.",
    kinds.UNKNOWN_REFUSAL: "`refusal` is the code or the name of a problem of usage, such as no-bucket or U308.",
    kinds.EMPTY_EXPECTATION: "A case expects nothing, so that it could not fail.",
    kinds.MIXED_EXPECTATION: "A case expects a refusal and amounts. Usage that is refused makes no bill.",
    kinds.DUPLICATE_CASE: "Two cases have the same name, so that it would not be clear which one failed.",
    # Warnings
    kinds.COVERAGE_HOLE: (
        "A region has a price for one spec of the item and not for another, so that some usage of the region stops the"
        " bill. Add the price, or say in a comment why there is none."
    ),
    kinds.PERIOD_GAP: "Between two versions of a product on a site no sheet is in force. Usage of that time has no price.",
    kinds.RISING_TIER: (
        "A tier costs more than the one before it. Prices mostly fall with the quantity, so a bound or price may be"
        " misplaced. A first tier that is free is not meant."
    ),
    kinds.CHEAPER_RESOLUTION: "A higher resolution costs less than a lower one of the same codec in the same region.",
    kinds.CHEAPER_H265: "H.265 costs less than H.264 at the same resolution in the same region, though it takes more work.",
    kinds.PRICE_OUTLIER: (
        "A price is at least 8 times above or below a neighbour, as when a decimal point has slipped. Neighbours are: the"
        " same spec in the item's other regions, the next lower and higher resolution of the same codec in the same region,"
        " and the tier before and after it. Of two such prices, the one that is far from more of its"
        ' neighbours is named. A price of 0 is not compared. Two prices of a row "seem to have changed places" where every other'
        " row has the two regions the other way, at the same ratio. Tiers that end at 10, 50 and 100 beside others that end at"
        " 10240, 51200 and 102400, or lack one that all others have, or are of another kind, are reported, too."
    ),
    kinds.STALE_SOURCE: "A source was read over a year ago. Look at the page again and set `read_on`, or change the prices.",
    kinds.FUTURE_SHEET: "The sheet starts after today. That is right for an announced change, and wrong for a mistyped year.",
    kinds.UNUSED_IGNORE: "A comment suppresses a warning that does not occur on its line. Remove the comment.",
    kinds.BAD_IGNORE: (
        "A comment that begins with `mps-bill:` is not of the form `# mps-bill: ignore CODE (reason)`, or names a code that"
        " is not a warning. Errors cannot be suppressed, because a bill would still refuse the sheet."
    ),
    kinds.FAR_FROM_REFERENCE: (
        "A price is far from the list price of a shipped sheet, or of one given with `--against`: more than two and a half times"
        " it, less than an eighth, or six times away from the share that the item's other prices have of theirs. Mostly a"
        ' decimal point, or an hourly price for one a minute. Two prices "seem to have changed places" where each is, times the'
        " share of the list that the item has, what the list has for the other one; a discount on one of them is not reported."
        " Bounds of tiers that are 10, 1000, 1024 or so many times the list's are reported; others are a matter of agreement."
    ),
    kinds.PRICE_JUMP: (
        "A price is more than five times, or less than a fifth, of that in the version of the sheet before, or free. Two"
        ' prices "seem to have changed places" where each is what the other one was.'
    ),
    kinds.ENDED_PRICE: (
        "The version of the sheet before has a price for an item, a spec or a region that this one has none for. Usage of it is"
        " refused from then on. Where that is meant, list it under `unpriced` with a note."
    ),
    kinds.CHANGED_RULE: (
        "A unit, metering rule, tier table or bill rule differs from the previous version of the sheet; bills change although"
        " no price does."
    ),
    kinds.MISSPELT_SPEC: (
        "A spec or its codec differs from a known one, or from its neighbours, in case, in a mark or in one letter, or the codec"
        " has another name in usage, such as AVC for H264. Usage that is spelled correctly does not match this price."
    ),
    kinds.MISSPELT_REGION: (
        "A member of a region group is one letter from a known region, or has a digit too many or too few. Usage of that region"
        " does not get the group's price."
    ),
    kinds.UNUSED_GROUP: "No price is for a region group, so that it does nothing. Perhaps prices for it are missing.",
    kinds.MISSING_RESOLUTION: (
        "A codec has prices for a smaller and for a larger resolution and none for one between them. Pictures of that size are"
        " refused. Where no price is known, list it under `unpriced`."
    ),
    kinds.DUPLICATE_NAME: "Two items have one name, so that a reader of a bill cannot tell them apart.",
    kinds.MISSING_SPEC: (
        "An item has no `spec`, and its price table looks as if it had one: without it usage that has only a codec and a size is"
        " refused. Or its `spec` lacks a part that other sheets have, or that rows of its table have, which usage then does not"
        " meet."
    ),
    kinds.UNKNOWN_CURRENCY: "ISO 4217 has no currency of this code; CNY and USD are the provider's.",
    kinds.READ_IN_FUTURE: "A source was read on a day that is yet to come.",
    kinds.NOT_AT_MIDNIGHT: (
        "A sheet's period begins or ends within a day of the billing clock. Prices change at midnight; another hour is mostly"
        " midnight on another clock, such as UTC."
    ),
    kinds.MISSPELT_ITEM: (
        "The code of an item is one letter from that of an item of a shipped sheet, or of the version before, which the sheet"
        " does not have. Usage of that item is refused."
    ),
}
