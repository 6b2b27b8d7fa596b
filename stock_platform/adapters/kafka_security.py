"""How a client proves itself to Kafka, in the words of librdkafka and of Flink's Java client. Decides only.

It is of the process's environment, like a bundle of certificates, so no caller hands it through."""

from stock_platform.config import Settings, load

_LOGIN = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security.scram.ScramLoginModule"
"""Flink's connector carries Kafka's client under a name of its own."""


def client_options(bootstrap: str) -> dict[str, str]:
    """Where the broker is and how this process proves itself: the first options of every client."""
    return {"bootstrap.servers": bootstrap, **librdkafka_options(load())}


def librdkafka_options(settings: Settings) -> dict[str, str]:
    """Options of confluent_kafka's clients; none for a broker that does not ask."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return {}
    login = {
        "sasl.mechanism": settings.kafka_security_mechanism,
        "sasl.username": settings.kafka_security_username,
        "sasl.password": settings.kafka_security_password.get_secret_value(),
    }
    authority = {"ssl.ca.location": str(settings.kafka_security_ca)} if settings.kafka_security_ca else {}
    return _chosen(settings, login, authority)


def flink_options(settings: Settings) -> dict[str, str]:
    """The same as options of a Kafka table, without their prefix `properties.`."""
    if settings.kafka_security_protocol == "PLAINTEXT":
        return {}
    user, password = settings.kafka_security_username, settings.kafka_security_password.get_secret_value()
    login = {
        "sasl.mechanism": settings.kafka_security_mechanism,
        "sasl.jaas.config": f'{_LOGIN} required username="{_escaped(user)}" password="{_escaped(password)}";',
    }
    file = settings.kafka_security_ca
    return _chosen(settings, login, {"ssl.truststore.type": "PEM", "ssl.truststore.location": str(file)} if file else {})


def _chosen(settings: Settings, login: dict[str, str], authority: dict[str, str]) -> dict[str, str]:
    protocol = settings.kafka_security_protocol
    return {
        "security.protocol": protocol,
        **(login if protocol.startswith("SASL") else {}),
        **(authority if protocol.endswith("SSL") else {}),
    }


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
