"""DynamoDB and SQS in this process, for a local run and nothing else: moto, with the table and queue of cloud/template.yaml."""

# moto is a development package; boto3's types are partial.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import boto3
from moto import mock_aws

_REGION = "eu-central-1"


@contextmanager
def local_aws(table: str) -> Generator[str]:
    """Give the queue's address; table and queue are forgotten at the end."""
    with mock_aws():
        boto3.setup_default_session(region_name=_REGION)
        dynamodb: Any = boto3.client("dynamodb")
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "symbol", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "symbol", "KeyType": "HASH"}],
        )
        sqs: Any = boto3.client("sqs")
        yield sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
