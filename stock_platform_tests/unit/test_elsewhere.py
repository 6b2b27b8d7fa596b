"""Servers on other machines: how clients prove themselves, and which addresses the servers are told. Values by hand."""

from pathlib import Path

import pytest

from stock_platform.adapters.flink_script import STREAM, fill_script, plan_of
from stock_platform.adapters.kafka_security import client_options, flink_options, librdkafka_options
from stock_platform.config import ROOT, Settings, simulator_environment
from stock_platform.feed.choice import watch_of
from stock_platform.stack import flink, kafka
from stock_platform.stack.prepare import script_values

SQL = ROOT / "flink" / "sql"
SCRAM = {
    "kafka_security_protocol": "SASL_SSL",
    "kafka_security_username": "flink",
    "kafka_security_password": 'a"b\\c',
    "kafka_security_ca": "/ca/ca.crt",
}


def settings(**given: object) -> Settings:
    return Settings(_env_file=None, **given)  # type: ignore[call-arg, arg-type]


def test_a_broker_that_does_not_ask_is_told_nothing() -> None:
    assert librdkafka_options(settings()) == flink_options(settings()) == {}


def test_scram_over_tls_in_the_words_of_both_clients() -> None:
    assert librdkafka_options(settings(**SCRAM)) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "flink",
        "sasl.password": 'a"b\\c',
        "ssl.ca.location": "/ca/ca.crt",
    }
    assert flink_options(settings(**SCRAM)) == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.jaas.config": "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule required "
        'username="flink" password="a\\"b\\\\c";',
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/ca/ca.crt",
    }


def test_tls_without_a_login_and_a_login_without_tls() -> None:
    tls = settings(kafka_security_protocol="SSL", kafka_security_ca="/ca/ca.crt")
    assert librdkafka_options(tls) == {"security.protocol": "SSL", "ssl.ca.location": "/ca/ca.crt"}
    login = settings(**{**SCRAM, "kafka_security_protocol": "SASL_PLAINTEXT"})
    assert librdkafka_options(login).keys() == {"security.protocol", "sasl.mechanism", "sasl.username", "sasl.password"}


def test_every_client_of_this_process_proves_itself(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STOCK_PLATFORM_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("STOCK_PLATFORM_KAFKA_SECURITY_PROTOCOL", "SSL")
    assert client_options("kafka:9093") == {"bootstrap.servers": "kafka:9093", "security.protocol": "SSL"}
    doors = [path for path in (ROOT / "stock_platform").rglob("*.py") if '"bootstrap.servers":' in path.read_text()]
    assert [path.name for path in doors] == ["kafka_security.py"]


def test_every_kafka_table_of_the_stream_job_gets_the_options_and_the_plan_does_not() -> None:
    plain, secured = script_values(settings()), script_values(settings(**SCRAM))
    before, after = fill_script(SQL, STREAM, plain), fill_script(SQL, STREAM, secured)
    tables = before.count("'connector' = 'kafka'")
    assert tables == 3
    assert "security.protocol" not in before
    assert after.count("'properties.security.protocol' = 'SASL_SSL',") == tables
    assert after.count("'properties.sasl.jaas.config' = 'org.apache") == tables
    assert plan_of(SQL, STREAM, flink=flink.VERSION) == plan_of(SQL, STREAM, flink=flink.VERSION)
    assert "security" not in "".join((SQL / part).read_text() for part in STREAM)


def test_database_elsewhere_is_reached_by_tls() -> None:
    elsewhere = settings(postgres_host="db", postgres_port=5432, postgres_sslmode="require", postgres_api_reader_password="p")
    assert elsewhere.dsn("api_reader") == "postgresql://api_reader:p@db:5432/stock_platform?sslmode=require"
    assert elsewhere.jdbc_url == "jdbc:postgresql://db:5432/stock_platform?sslmode=require"
    assert settings().jdbc_url == "jdbc:postgresql://127.0.0.1:15432/stock_platform"


def test_broker_in_a_container_has_a_name_inside_and_the_loopback_outside() -> None:
    text = kafka.properties(Path("/d"), ports=kafka.Ports(9092, 9093, 19092), host="kafka", listen_host="0.0.0.0")
    assert "\nlisteners=BROKER://0.0.0.0:9092,CONTROLLER://127.0.0.1:9093,OUTSIDE://0.0.0.0:19092\n" in text
    assert "\nadvertised.listeners=BROKER://kafka:9092,OUTSIDE://127.0.0.1:9092\n" in text


def test_flink_in_containers_is_known_by_its_names() -> None:
    hosts = flink.Hosts("flink-jobmanager", "flink-taskmanager", "0.0.0.0")
    text = flink.configuration(Path("/f"), port=8081, rpc_port=6123, size=flink.Size(), hosts=hosts)
    assert "jobmanager.rpc.address: flink-jobmanager\n" in text
    assert "taskmanager.host: flink-taskmanager\n" in text
    assert text.count(": 0.0.0.0\n") == 3


def test_the_simulators_proxy_is_not_asked_for_our_own_servers() -> None:
    found = simulator_environment(settings(simulator_host="simulator", dagster_host="dagster-webserver", api_host="api"))
    assert found["HTTPS_PROXY"] == "http://simulator:7003"
    assert found["NO_PROXY"] == "127.0.0.1,localhost,api,dagster-webserver"
    assert simulator_environment(settings())["NO_PROXY"] == "127.0.0.1,localhost"


def test_lines_may_be_doubled_without_touching_the_watchlist() -> None:
    assert len(watch_of(settings()).shares) == 1
    assert [share.line[-1] for share in watch_of(settings(feed_redundancy=2)).shares] == ["a", "b"]
