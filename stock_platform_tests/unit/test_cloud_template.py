"""What CloudFormation would refuse, and what the template must have."""

from pathlib import Path
from typing import Any

import pytest
from cfnlint.api import lint_file
from cfnlint.decode.cfn_yaml import load

TEMPLATE = Path(__file__).parents[2] / "cloud/template.yaml"


@pytest.fixture(scope="module")
def resources() -> Any:
    return load(str(TEMPLATE))["Resources"]


def test_template_has_nothing_that_cfn_lint_would_tell() -> None:
    assert lint_file(TEMPLATE) == []


def test_table_is_by_symbol_on_demand_recoverable_encrypted_and_forgets(resources: Any) -> None:
    table = resources["StockPrices"]["Properties"]
    assert table["KeySchema"] == [{"AttributeName": "symbol", "KeyType": "HASH"}]
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"]
    assert table["SSESpecification"]["SSEEnabled"]
    assert table["TimeToLiveSpecification"]["AttributeName"] == "expires_at"


def test_no_role_has_a_wildcard(resources: Any) -> None:
    roles = [each for each in resources.values() if each["Type"] == "AWS::IAM::Role"]
    statements = [part for role in roles for part in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]]
    assert len(roles) == 3
    assert not [part for part in statements if part["Resource"] == "*" or any("*" in action for action in part["Action"])]


def test_schedule_of_new_york_is_in_its_zone(resources: Any) -> None:
    schedule = resources["NewYorkSchedule"]["Properties"]
    assert (schedule["ScheduleExpression"], schedule["ScheduleExpressionTimezone"]) == (
        "cron(* 4-19 ? * MON-FRI *)",
        "America/New_York",
    )
