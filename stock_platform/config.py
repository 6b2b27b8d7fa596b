"""Every setting, read in this one place: environment first, then the profile's own files, then the default.

`up` writes what it was told into `<data dir>/<profile>/settings.env` and generated passwords into `secrets.env`, so that each
service and each later command of the same stack sees the same world."""

import os
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from stock_platform.errors import SettingInvalid
from stock_platform.names import PREFIX

ROOT = Path(__file__).resolve().parent.parent

Profile = Literal["live", "simulator", "tape"]
FeedKind = Literal["yahoo", "simulator", "tape"]
KafkaProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]


class Settings(BaseSettings):
    """One validated description of the world. Names in the environment: STOCK_PLATFORM_<AREA>_<NAME>[_<UNIT>]."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", env_ignore_empty=True)

    data_dir: Path = ROOT / ".stack"
    profile: Profile = "simulator"

    listen_host: str = "127.0.0.1"
    postgres_host: str = "127.0.0.1"
    kafka_host: str = "127.0.0.1"
    flink_host: str = "127.0.0.1"
    flink_taskmanager_host: str = "127.0.0.1"
    flink_batch_host: str = ""
    dagster_host: str = "127.0.0.1"
    dagster_grpc_host: str = "127.0.0.1"
    dagster_url: str = ""
    api_host: str = "127.0.0.1"
    simulator_host: str = "127.0.0.1"

    frontend_port: int = Field(3000, ge=1, le=65535)
    api_port: int = Field(5000, ge=1, le=65535)
    grafana_port: int = Field(3001, ge=1, le=65535)
    dagster_port: int = Field(3070, ge=1, le=65535)
    dagster_grpc_port: int = Field(3071, ge=1, le=65535)
    kafka_port: int = Field(9092, ge=1, le=65535)
    kafka_port_outside: int | None = Field(None, ge=1, le=65535)
    kafka_controller_port: int = Field(9093, ge=1, le=65535)
    flink_port: int = Field(8081, ge=1, le=65535)
    flink_rpc_port: int = Field(6123, ge=1, le=65535)
    postgres_port: int = Field(15432, ge=1, le=65535)
    simulator_port: int = Field(7001, ge=1, le=65535)
    simulator_http_port: int = Field(7002, ge=1, le=65535)
    simulator_proxy_port: int = Field(7003, ge=1, le=65535)

    kafka_security_protocol: KafkaProtocol = "PLAINTEXT"
    kafka_security_mechanism: Literal["SCRAM-SHA-256", "SCRAM-SHA-512"] = "SCRAM-SHA-512"
    kafka_security_username: str = ""
    kafka_security_password: SecretStr = SecretStr("")
    kafka_security_ca: Path | None = None
    postgres_sslmode: Literal["disable", "require", "verify-ca", "verify-full"] = "disable"

    java_home: Path | None = Field(None, validation_alias="JAVA_HOME")
    grafana_home: Path | None = None
    grafana_webhook_url: str = "http://127.0.0.1:9/"

    feed_kind: FeedKind = "simulator"
    feed_watchlist: Path = ROOT / "stock_platform/feed/watchlist.yaml"
    feed_yahoo_url: str = "wss://streamer.finance.yahoo.com/?version=2"
    feed_canary: str = "BTC-USD"
    feed_redundancy: int | None = Field(None, ge=1, le=3)
    feed_tape: Path | None = None
    feed_tape_speed: float = Field(1.0, gt=0)
    feed_tape_as_live: bool = False
    simulator_seed: int = 7
    simulator_hours: Literal["always", "exchange"] = "always"
    simulator_rate: Literal["natural", "full"] = "natural"
    simulator_scenario: Path | None = None

    vendor_requests_per_minute: float = Field(60.0, gt=0)
    vendor_burst: int = Field(10, ge=1)
    vendor_timeout_s: float = Field(20.0, gt=0)
    vendor_raw_days: int = Field(14, ge=1)
    vendor_daily_days: int = Field(35, ge=1)
    seed_daily_days: int = Field(1826, ge=0)
    seed_minute_days: int | None = Field(None, ge=0, le=29)

    flink_parallelism: int = Field(1, ge=1)
    flink_task_heap_mib: int = Field(256, ge=128)
    flink_state_backend: Literal["hashmap", "rocksdb"] = "hashmap"
    flink_job_owner: Literal["platform", "operator"] = "platform"
    flink_late_limit_s: int = Field(3_600, ge=0)
    flink_longest_outage_s: int = Field(10_800, ge=0)
    gate_grace_s: float = Field(2.0, ge=0)
    gate_lead_s: float = Field(40.0, ge=0)
    gap_repair_after_s: float = Field(120.0, ge=0)
    retention_gate_runs_days: int = Field(7, ge=1)
    retention_runs_days: int = Field(30, ge=1)
    retention_rows_days: int = Field(90, ge=1)
    dagster_read_only: bool = False
    sessions_first: date = date(2021, 1, 1)
    sessions_last: date | None = None
    api_allowed_origins: str = ""
    api_connections: int = Field(8, ge=1)

    cloud_table: str = "StockPrices"
    cloud_dead_letters_url: str = ""
    cloud_endpoint: str | None = None
    cloud_writers: int = Field(16, ge=1, le=64)

    postgres_admin_password: SecretStr = SecretStr("")
    postgres_dagster_password: SecretStr = SecretStr("")
    postgres_flink_writer_password: SecretStr = SecretStr("")
    postgres_feed_writer_password: SecretStr = SecretStr("")
    postgres_gate_owner_password: SecretStr = SecretStr("")
    postgres_api_reader_password: SecretStr = SecretStr("")
    postgres_grafana_reader_password: SecretStr = SecretStr("")

    @field_validator("feed_watchlist")
    @classmethod
    def _from_root(cls, path: Path) -> Path:
        """A relative path is meant from the clone: services run elsewhere."""
        return ROOT / path

    @property
    def home(self) -> Path:
        """Folder of the profile: everything that the stack keeps."""
        return self.data_dir / self.profile

    @property
    def simulator_folder(self) -> Path:
        """Folder of the simulator's certificate authority."""
        return self.home / "simulator"

    @property
    def vendor(self) -> Literal["yahoo", "simulator"]:
        """Who answers under Yahoo's names."""
        return "simulator" if self.feed_kind == "simulator" else "yahoo"

    @property
    def seeded_minute_days(self) -> int:
        """Days of minutes from before the first one that are fetched; those of a simulator have four times the minutes."""
        default = 7 if self.feed_kind == "simulator" else 29
        return default if self.seed_minute_days is None else self.seed_minute_days

    @property
    def is_replay(self) -> bool:
        """Whether event times are of the past, or go faster than the clock: nothing is late then."""
        is_shifted_to_now = self.feed_tape_as_live and self.feed_tape_speed == 1
        return self.feed_kind == "tape" and not is_shifted_to_now

    @property
    def kafka_bootstrap(self) -> str:
        """Address of the broker."""
        return f"{self.kafka_host}:{self.kafka_port}"

    @property
    def flink_address(self) -> str:
        """Address of Flink's REST interface."""
        return f"http://{self.flink_host}:{self.flink_port}"

    @property
    def flink_batch_address(self) -> str:
        """Address of the Flink that restatements run on: the stream's own, unless another is named."""
        return f"http://{self.flink_batch_host or self.flink_host}:{self.flink_port}"

    @property
    def dagster_address(self) -> str:
        """Address of Dagster for programs."""
        return f"http://{self.dagster_host}:{self.dagster_port}"

    @property
    def dagster_page(self) -> str:
        """Address of Dagster for a person's browser."""
        return self.dagster_url or f"http://127.0.0.1:{self.dagster_port}"

    @property
    def api_page(self) -> str:
        """Address of the API for a browser on this machine."""
        return f"http://localhost:{self.api_port}"

    @property
    def jdbc_url(self) -> str:
        """Address of the platform's database for Flink."""
        address = f"jdbc:postgresql://{self.postgres_host}:{self.postgres_port}/stock_platform"
        return address if self.postgres_sslmode == "disable" else f"{address}?sslmode={self.postgres_sslmode}"

    @property
    def gate_grace(self) -> timedelta:
        """How long after its end, in event time, a bar waits for stragglers."""
        return timedelta(seconds=self.gate_grace_s)

    @property
    def gap_repair_after(self) -> timedelta:
        """How long after a gap is known its repair is asked for: the vendor's history needs a while to have its minutes."""
        return timedelta(seconds=self.gap_repair_after_s)

    def password(self, role: str) -> str:
        """Password of a Postgres role."""
        secret: SecretStr = getattr(self, f"postgres_{role}_password")
        return secret.get_secret_value()

    def dsn(self, role: str, database: str = "stock_platform") -> str:
        """Connection string of a role, with its password: never log it."""
        user = "stock_admin" if role == "admin" else role
        return f"postgresql://{user}:{self.password(role)}@{self.postgres_host}:{self.postgres_port}/{database}?sslmode={self.postgres_sslmode}"


def load(*, data_dir: Path | None = None, profile: str | None = None) -> Settings:
    """Settings of one profile; without arguments, of the one that was started last.

    Raises:
        SettingInvalid: a value is not usable; names the variable.
    """
    root = (data_dir or Path(os.environ.get(f"{PREFIX}DATA_DIR") or ROOT / ".stack")).resolve()
    name = profile or os.environ.get(f"{PREFIX}PROFILE") or current_profile(root)
    files = tuple(root / name / file for file in ("settings.env", "secrets.env"))
    try:
        return Settings(_env_file=files, data_dir=root, profile=name)  # type: ignore[call-arg, arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        variable = "_".join(str(part) for part in first["loc"]).upper()
        raise SettingInvalid(f"{PREFIX}{variable}", first.get("input"), first["msg"]) from None


def current_profile(root: Path) -> str:
    """Profile that was started last under this data directory."""
    marker = root / "current"
    return marker.read_text().strip() if marker.exists() else "simulator"


def child_environment(settings: Settings) -> dict[str, str]:
    """Environment in which a service of this stack finds the same settings."""
    return {f"{PREFIX}DATA_DIR": str(settings.data_dir), f"{PREFIX}PROFILE": settings.profile}


def inherited_environment() -> dict[str, str]:
    """A copy of this process's environment, for programs that the platform starts."""
    return dict(os.environ)


def simulator_environment(settings: Settings) -> dict[str, str]:
    """Variables that lead a process's requests to Yahoo to this profile's simulator, and every other host's to a refusal.

    Some programs read the small letters first; some machines preset a bundle of certificates, which must give way.
    """
    proxy = f"http://{settings.simulator_host}:{settings.simulator_proxy_port}"
    ours = {settings.dagster_host, settings.flink_host, settings.api_host} - {"127.0.0.1"}
    direct = ",".join(("127.0.0.1", "localhost", *sorted(ours)))
    authority = str(settings.simulator_folder / "ca.pem")
    proxies = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "NO_PROXY": direct, "no_proxy": direct}
    return proxies | dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), authority)


def preset(**values: object) -> None:
    """Set variables of this process and of those that it starts, by the names of their settings."""
    os.environ.update({f"{PREFIX}{name.upper()}": str(value) for name, value in values.items()})


def lead_to_vendor(settings: Settings) -> None:
    """Lead this process's requests to Yahoo to who answers for it in this profile; before the first of them."""
    if settings.vendor == "simulator":
        os.environ.update(simulator_environment(settings))
