"""`mps-bill fetch account`: what the provider knows about an account, and a refusal to settle until the rest is filled in."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mps_bill.cli import run
from mps_bill.core.times import parse_second
from tests.fetch.conftest import Fetch
from tests.fetch.provider_server import Action, FakeProvider, provider
from tests.kit import row, usage_text

pytest.importorskip("alibabacloud_tea_openapi", reason="the extra cloud is not installed")

NOW = parse_second("2026-11-03T10:20:30+08:00")
BALANCE = {
    "AvailableAmount": "1,234.50",
    "AvailableCashAmount": "1,234.50",
    "CreditAmount": "0.00",
    "MybankCreditAmount": "0.00",
    "Currency": "CNY",
}
VOUCHER = {
    "CashCouponId": "77",
    "CashCouponNo": "v-1",
    "NominalValue": "50.00",
    "Balance": "12.30",
    "EffectiveTime": "2026-10-31T16:00:00Z",
    "ExpiryTime": "2026-12-31T15:59:59Z",
    "ApplicableProducts": "Media Processing",
    "ApplicableScenarios": "postpaid",
    "Status": "Available",
}
CARD = {
    "PrepaidCardId": "88",
    "PrepaidCardNo": "c-1",
    "NominalValue": "200",
    "Balance": "100.5",
    "EffectiveTime": "2026-01-01T00:00:00Z",
    "ExpiryTime": "2027-01-01T00:00:00Z",
    "Status": "Available",
}
PLAN = {
    "InstanceId": "MTSBAG-cn-1",
    "Remark": "H.264 转码包",
    "PackageType": "MTSBAG",
    "Region": "cn-shanghai",
    "EffectiveTime": "2026-11-01T02:30:00Z",
    "ExpiryTime": "2027-05-01T02:30:00Z",
    "TotalAmount": "5000",
    "TotalAmountUnit": "分钟",
    "RemainingAmount": "4321.12",
    "RemainingAmountUnit": "分钟",
    "ApplicableProducts": {"Product": ["mts"]},
    "Status": "Available",
}


def data(value: Any) -> Action:
    return lambda *_: json.dumps({"Code": "200", "Message": "Successful!", "Success": True, "Data": value})


def plans(*rows: dict[str, Any]) -> Any:
    return {"TotalCount": len(rows), "PageNum": 1, "PageSize": 300, "Instances": {"Instance": list(rows)}}


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeProvider]:
    monkeypatch.setattr("mps_bill.cli.clock.time.time", lambda: NOW)
    actions = {
        "QueryAccountBalance": data(BALANCE),
        "QueryCashCoupons": data({"CashCoupon": [VOUCHER]}),
        "QueryPrepaidCards": data({"PrepaidCard": [CARD]}),
        "QueryResourcePackageInstances": data(plans(PLAN)),
    }
    with provider(actions) as fake:
        yield fake


def draft(fetch: Fetch, fake: FakeProvider) -> str:
    Path("account.yaml").unlink(missing_ok=True)
    fetch("account", "--endpoint", fake.address, "-o", "account.yaml")
    return Path("account.yaml").read_text()


def settle(capsys: pytest.CaptureFixture[str], code: int) -> str:
    """Settle ten minutes of HD from the account, and return both outputs."""
    Path("usage.csv").write_text(usage_text([row(completed_at="2026-11-03T11:30:00+08:00")]))
    got = run(["settle", "usage.csv", "--prices", "mps-china", "--account", "account.yaml", "--quiet"])
    out, err = capsys.readouterr()
    assert got == code, out + err
    return out + err


def test_facts_known_to_the_provider_are_in_the_file(fetch: Fetch, fake: FakeProvider) -> None:
    lines = [line for line in draft(fetch, fake).splitlines() if not line.lstrip().startswith("#")]
    assert lines == [
        "format: mps-bill/account/1",
        "id: FILL IN",
        "currency: CNY",
        "balance: 1234.50",
        "credit_line: 0",
        "settled_through: FILL IN",
        "resource_plans:",
        '  - id: "MTSBAG-cn-1"',
        '    name: "H.264 转码包"',
        "    unit: minute",
        "    total: 5000",
        "    remaining: 4321.12",
        "    effective_from: 2026-11-01T10:30:00+08:00",
        "    expires_at: 2027-05-01T10:30:00+08:00",
        "    regions: FILL IN",
        "    covers: FILL IN",
        "vouchers:",
        '  - id: "v-1"',
        "    face_value: 50.00",
        "    remaining: 12.30",
        "    effective_from: 2026-11-01T00:00:00+08:00",
        "    expires_at: 2026-12-31T23:59:59+08:00",
        "    items: FILL IN",
        "stored_value_cards:",
        '  - id: "c-1"',
        "    face_value: 200",
        "    remaining: 100.5",
        "    effective_from: 2026-01-01T08:00:00+08:00",
        "    expires_at: 2027-01-01T08:00:00+08:00",
    ]
    assert "5 values must be filled in (FILL IN)" in fetch.err
    assert "Control totals of QueryResourcePackageInstances: 1 page, 1 plan; the provider states 1." in fetch.err
    assert fake.parameters("QueryResourcePackageInstances") == [{"PageSize": "300", "PageNum": "1"}]


def test_facts_unknown_to_the_provider_are_explained(fetch: Fetch, fake: FakeProvider) -> None:
    lines = draft(fetch, fake).splitlines()
    for number, line in enumerate(lines):
        if line.endswith(": FILL IN"):
            assert lines[number - 1].lstrip().startswith("#"), line


def test_settle_refuses_it_at_each_place_until_it_is_filled_in(
    fetch: Fetch, fake: FakeProvider, capsys: pytest.CaptureFixture[str]
) -> None:
    text = draft(fetch, fake)
    filled = {
        "id": "studio-a",
        "settled_through": "2026-11-03T09:00:00+08:00",
        "regions": "[cn-shanghai]",
        "covers": "{transcoding: {H264.LD: 1, H264.SD: 1.5, H264.HD: 3}}",
        "items": "[transcoding]",
    }
    for number, (key, value) in enumerate(filled.items()):
        said = settle(capsys, 3)
        places = [at for at, line in enumerate(text.splitlines(), start=1) if line.endswith(": FILL IN")]
        assert len(places) == len(filled) - number
        for place in places:
            assert f"account.yaml:{place}:" in said
        text = re.sub(rf"({key}): FILL IN", rf"\1: {value}", text)
        Path("account.yaml").write_text(text)
    # Ten minutes of HD take 30 units of the plan, and nothing is left to pay.
    assert "4,321.12" in settle(capsys, 0)
    assert "4,291.12" in settle(capsys, 0)


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"AvailableCashAmount": "-3.20"}, "balance: FILL IN"),
        ({"AvailableCashAmount": "3.205"}, "balance: FILL IN"),
        ({"AvailableCashAmount": "3.2500"}, "balance: 3.25"),
        ({"AvailableCashAmount": "1,23.20"}, "balance: FILL IN"),
        ({"AvailableCashAmount": "12,345,678.90"}, "balance: 12345678.90"),
        ({"CreditAmount": "5,000.00"}, "credit_line: FILL IN"),
        ({"MybankCreditAmount": "1"}, "credit_line: FILL IN"),
    ],
)
def test_money_is_never_guessed(fetch: Fetch, fake: FakeProvider, change: dict[str, str], line: str) -> None:
    fake.actions["QueryAccountBalance"] = data({**BALANCE, **change})
    assert line in draft(fetch, fake).splitlines()


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"TotalAmountUnit": "次"}, "    unit: FILL IN"),
        ({"TotalAmountUnit": "GB"}, "    unit: FILL IN"),
        ({"TotalAmount": "5,000"}, "    total: FILL IN"),
        ({"EffectiveTime": ""}, "    effective_from: FILL IN"),
        ({"ExpiryTime": "2027-05-01 02:30:00"}, "    expires_at: FILL IN"),
        ({"Status": "Refunding"}, "    remaining: FILL IN"),
        ({"InstanceId": "a b"}, "  - id: FILL IN"),
        ({"Remark": 'a "plan"\n# b: 1'}, '    name: "a \\"plan\\"\\\\n# b: 1"'),
    ],
)
def test_values_of_a_plan_that_cannot_be_read_must_be_filled_in(
    fetch: Fetch, fake: FakeProvider, change: dict[str, str], line: str
) -> None:
    fake.actions["QueryResourcePackageInstances"] = data(plans({**PLAN, **change}))
    assert line in draft(fetch, fake).splitlines()


@pytest.mark.parametrize(
    "change",
    [{"RemainingAmountUnit": "MB", "TotalAmountUnit": "GB"}, {"RemainingAmountUnit": "小时"}, {"TotalAmountUnit": ""}],
)
def test_amounts_in_two_units_must_be_filled_in(fetch: Fetch, fake: FakeProvider, change: dict[str, str]) -> None:
    fake.actions["QueryResourcePackageInstances"] = data(plans({**PLAN, **change}))
    lines = draft(fetch, fake).splitlines()
    for key in ("unit", "total", "remaining"):
        at = lines.index(f"    {key}: FILL IN")
        assert lines[at - 1].lstrip().startswith("#")
    assert "    remaining: 4321.12" not in lines


@pytest.mark.parametrize("products", ["ecs,oss", {"Product": ["mts"]}])
def test_a_card_for_some_products_must_be_checked_before_it_pays(
    fetch: Fetch, fake: FakeProvider, products: object, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.actions["QueryPrepaidCards"] = data({"PrepaidCard": [{**CARD, "ApplicableProducts": products}]})
    lines = draft(fetch, fake).splitlines()
    at = lines.index("    remaining: FILL IN")
    named = "ecs,oss" if isinstance(products, str) else "mts"
    assert lines[at - 1] == (f"    # ApplicableProducts {named}: enter 100.5 if it can be used, or remove the entry.")
    assert f"account.yaml:{at + 1}:" in settle(capsys, 3)


@pytest.mark.parametrize("field", [*PLAN])
def test_no_value_becomes_more_than_a_value(fetch: Fetch, fake: FakeProvider, field: str) -> None:
    value = "x\nvouchers: []\r\u2028balance: 9"
    product = {"Product": [value]} if field == "ApplicableProducts" else value
    fake.actions["QueryResourcePackageInstances"] = data(plans({**PLAN, field: product}))
    lines = re.split("[\n\r\u2028]", draft(fetch, fake))
    assert [line for line in lines if line.startswith(("vouchers", "balance"))] == ["balance: 1234.50", "vouchers:"]


def test_used_up_and_expired_entries_are_left_out_with_a_comment(fetch: Fetch, fake: FakeProvider) -> None:
    used_up, expired = {**VOUCHER, "Balance": "0.00"}, {**CARD, "ExpiryTime": "2026-11-03T02:20:30Z"}
    fake.actions["QueryCashCoupons"] = data({"CashCoupon": [used_up, {**VOUCHER, "CashCouponNo": "v-2"}]})
    fake.actions["QueryPrepaidCards"] = data({"PrepaidCard": [expired]})
    text = draft(fetch, fake)
    assert "# voucher v-1 is left out: nothing is left of it." in text
    assert "# card c-1 is left out: it expired on 2026-11-03 10:20:30." in text
    assert 'id: "v-1"' not in text
    assert 'id: "v-2"' in text
    assert "stored_value_cards:" not in text


def test_an_account_with_nothing_but_cash(fetch: Fetch, fake: FakeProvider) -> None:
    fake.actions["QueryCashCoupons"] = fake.actions["QueryPrepaidCards"] = data({})
    fake.actions["QueryResourcePackageInstances"] = data({"TotalCount": 0, "Instances": {}})
    text = draft(fetch, fake)
    assert "vouchers:" not in text
    assert "resource_plans:" not in text
    assert "2 values must be filled in" in fetch.err


def test_an_account_is_never_overwritten(fetch: Fetch, fake: FakeProvider) -> None:
    Path("account.yaml").write_text("months of charges\n")
    fetch("account", "--endpoint", fake.address, "-o", "account.yaml", code=2)
    assert "an account is never overwritten" in fetch.err
    assert Path("account.yaml").read_text() == "months of charges\n"
    assert fake.calls == []


def test_a_refusal_leaves_no_file(fetch: Fetch, fake: FakeProvider) -> None:
    refused = json.dumps({"Code": "NotAuthorized", "Message": "This API is not authorized.", "Success": False})
    fake.actions["QueryPrepaidCards"] = lambda *_: refused
    fetch("account", "--endpoint", fake.address, "-o", "account.yaml", code=3)
    assert "refuses page 1 of QueryPrepaidCards: NotAuthorized: This API is not authorized." in fetch.err
    assert not Path("account.yaml").exists()


def test_an_account_without_a_currency_is_refused(fetch: Fetch, fake: FakeProvider) -> None:
    fake.actions["QueryAccountBalance"] = data({**BALANCE, "Currency": ""})
    fetch("account", "--endpoint", fake.address, code=3)
    assert "has no currency" in fetch.err
