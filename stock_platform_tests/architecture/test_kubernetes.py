"""deploy/kubernetes without a cluster: Kubernetes' own schemas, the fields of the operators' kinds, and agreement with the code.

No package carries the operators' schemas, so the fields that we use of them are listed here by hand, from their references."""

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from stock_platform.adapters.kafka import TICKS_KEPT, market_topics
from stock_platform.config import ROOT, Settings
from stock_platform.contracts.flink_ddl import JOB
from stock_platform.defs import stream_job
from stock_platform.names import PREFIX, ROLES
from stock_platform.stack import flink

FOLDER = ROOT / "deploy" / "kubernetes"
KUSTOMIZATION = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
OBJECTS: list[dict[str, Any]] = [
    each for name in KUSTOMIZATION["resources"] for each in yaml.safe_load_all((FOLDER / name).read_text())
]
CORE = [each for each in OBJECTS if "." not in each["apiVersion"].split("/")[0] or "k8s.io" in each["apiVersion"]]
CUSTOM = [each for each in OBJECTS if each not in CORE]
DAGSTER = yaml.safe_load((FOLDER / "dagster-values.yaml").read_text())
GRAFANA = yaml.safe_load((FOLDER / "grafana-values.yaml").read_text())
FIELDS = {
    ("kafka.strimzi.io/v1", "Kafka"): {"kafka", "entityOperator"},
    ("kafka.strimzi.io/v1", "KafkaNodePool"): {"replicas", "roles", "storage", "resources", "jvmOptions"},
    ("kafka.strimzi.io/v1", "KafkaTopic"): {"partitions", "replicas", "config"},
    ("kafka.strimzi.io/v1", "KafkaUser"): {"authentication", "authorization"},
    ("flink.apache.org/v1beta1", "FlinkDeployment"): {
        *("image", "flinkVersion", "serviceAccount", "mode", "flinkConfiguration"),
        *("jobManager", "taskManager", "podTemplate", "job"),
    },
    ("postgresql.cnpg.io/v1", "Cluster"): {
        *("instances", "bootstrap", "managed", "postgresql", "storage", "walStorage", "resources", "plugins"),
    },
    ("postgresql.cnpg.io/v1", "ScheduledBackup"): {"schedule", "backupOwnerReference", "cluster", "method", "pluginConfiguration"},
    ("barmancloud.cnpg.io/v1", "ObjectStore"): {"retentionPolicy", "configuration"},
}
OPERATIONS = {"Read", "Write", "Describe"}


def of_kind(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def name_of(each: dict[str, Any]) -> str:
    return f"{each['kind']}-{each['metadata']['name']}"


@pytest.mark.parametrize("each", CORE, ids=name_of)
def test_kubernetes_own_kinds_are_valid(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, "1.34", strict=True)


@pytest.mark.parametrize("each", CUSTOM, ids=name_of)
def test_operators_kinds_have_only_fields_that_these_know(each: dict[str, Any]) -> None:
    assert each["spec"].keys() <= FIELDS[each["apiVersion"], each["kind"]]


@pytest.mark.parametrize("each", of_kind("FlinkDeployment").values(), ids=name_of)
def test_pod_templates_of_flink_are_pods(each: dict[str, Any]) -> None:
    pod = each["spec"]["podTemplate"]
    # The operator fills in the image of the main container, which may have no other name.
    containers = [{"image": each["spec"]["image"], **container} for container in pod["spec"]["containers"]]
    assert [container["name"] for container in containers] == ["flink-main-container"]
    kubernetes_validate.validate({**pod, "spec": {**pod["spec"], "containers": containers}}, "1.34", strict=True)


def test_every_file_is_applied_or_is_a_charts_values() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")}
    assert files == {*KUSTOMIZATION["resources"], "kustomization.yaml", "dagster-values.yaml", "grafana-values.yaml"}


def test_every_variable_is_a_setting_and_its_value_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "".join(path.read_text() for path in FOLDER.glob("*.yaml"))
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert set(re.findall(rf"{PREFIX}[A-Z_]+", text)) - known == {f"{PREFIX}GRAFANA_DASHBOARDS"}
    for name, value in of_kind("ConfigMap")["stock-platform"]["data"].items():
        monkeypatch.setenv(name, value)
    settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert settings.kafka_bootstrap == "stock-platform-kafka-bootstrap:9093"
    assert settings.jdbc_url == "jdbc:postgresql://stock-platform-db-rw:5432/stock_platform?sslmode=require"
    assert settings.flink_address == "http://ticks-to-bars-rest:8081"
    assert settings.flink_batch_address == "http://restatements-rest:8081"


def test_topics_are_those_of_the_code_on_three_brokers() -> None:
    topics = of_kind("KafkaTopic")
    wanted = {spec.name: spec for spec in market_topics(retention=TICKS_KEPT)}
    assert topics.keys() == wanted.keys()
    for name, topic in topics.items():
        found = {key: str(value) for key, value in topic["spec"]["config"].items()}
        assert found == {**wanted[name].settings, "min.insync.replicas": "2"}
        assert topic["spec"]["replicas"] == 3
        assert topic["spec"]["partitions"] >= wanted[name].partition_count


def test_kafka_loses_a_broker_and_keeps_every_record() -> None:
    config = of_kind("Kafka")["stock-platform"]["spec"]["kafka"]["config"]
    assert of_kind("KafkaNodePool")["broker"]["spec"]["replicas"] == 3
    assert (config["default.replication.factor"], config["min.insync.replicas"]) == (3, 2)
    assert config["unclean.leader.election.enable"] is False


def test_kafka_users_may_do_what_their_hop_needs_and_nothing_else() -> None:
    allowed: dict[str, dict[str, set[str]]] = {}
    for name, user in of_kind("KafkaUser").items():
        assert user["spec"]["authentication"]["type"] == "scram-sha-512"
        for acl in user["spec"]["authorization"]["acls"]:
            assert set(acl["operations"]) <= OPERATIONS
            allowed.setdefault(name, {})[acl["resource"]["name"]] = set(acl["operations"]) - {"Describe"}
    topics = {user: {name: what for name, what in by.items() if name.startswith("market.")} for user, by in allowed.items()}
    assert topics == {
        "platform": {"market.ticks.v1": {"Read", "Write"}, "market.ticks.dlq.v1": {"Read", "Write"}},
        "flink": {"market.ticks.v1": {"Read"}, "market.ticks.dlq.v1": {"Write"}, "market.quotes.v1": {"Write"}},
        "api": {"market.quotes.v1": {"Read"}},
    }


def test_every_consumer_group_of_the_code_is_allowed_to_somebody() -> None:
    sources = [*(ROOT / "stock_platform" / "adapters").glob("kafka*.py"), *(ROOT / "flink" / "sql").glob("*.sql")]
    text = "".join(path.read_text() for path in sources)
    groups = {name.split("{")[0] for name in re.findall(r"""group\.id['"]\s*[:=]\s*f?['"]([\w{}().-]+)['"]""", text)}
    acls = [acl["resource"] for user in of_kind("KafkaUser").values() for acl in user["spec"]["authorization"]["acls"]]
    assert groups == {acl["name"] for acl in acls if acl["type"] == "group"}


def test_the_stream_job_keeps_what_the_embedded_stack_promises() -> None:
    spec = of_kind("FlinkDeployment")["ticks-to-bars"]["spec"]
    embedded = yaml.safe_load(flink.configuration(Path("/f"), port=8081, rpc_port=6123, size=flink.Size()))
    meant_otherwise = {
        "state.backend.type",
        "execution.checkpointing.incremental",
        "execution.checkpointing.dir",
        "execution.checkpointing.savepoint-dir",
    }
    shared = spec["flinkConfiguration"].keys() & embedded.keys() - meant_otherwise
    assert len(shared) >= 12
    for name in shared:
        assert spec["flinkConfiguration"][name].lower() == str(embedded[name]).lower(), name
    assert spec["flinkVersion"] == "v" + "_".join(flink.VERSION.split(".")[:2])
    assert spec["job"]["args"] == ["--script", f"/data/live/flink/{JOB}.sql", "--name", JOB]
    assert spec["job"]["upgradeMode"] == "savepoint"
    parallelism = of_kind("ConfigMap")["stock-platform"]["data"][f"{PREFIX}FLINK_PARALLELISM"]
    assert str(spec["job"]["parallelism"]) == parallelism
    assert (ROOT / "Dockerfile").read_text().count(f"FROM flink:{flink.VERSION}-java17") == 1


def test_restatements_have_slots_for_the_jobs_parallelism() -> None:
    spec = of_kind("FlinkDeployment")["restatements"]["spec"]
    parallelism = int(of_kind("ConfigMap")["stock-platform"]["data"][f"{PREFIX}FLINK_PARALLELISM"])
    assert spec["mode"] == "standalone"
    assert int(spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"]) >= parallelism


def test_supervisor_leaves_the_operators_job_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Idle:
        def running_job(self, _name: str) -> None:
            """No job."""

        def slots_problem(self) -> str:
            return "none"

    class Place:
        settings = Settings(_env_file=None, flink_job_owner="operator")  # type: ignore[call-arg]

    monkeypatch.setattr(stream_job, "_client", lambda _address: Idle())
    assert stream_job._look(None, Place()) == "The job is Flink's operator's; it starts it again."  # type: ignore[arg-type]
    Place.settings = Settings(_env_file=None)  # type: ignore[call-arg]
    assert "no TaskManager" in str(stream_job._look(None, Place()))  # type: ignore[arg-type]


def test_dagsters_limits_are_those_of_one_machine() -> None:
    instance = yaml.safe_load((ROOT / "dagster.yaml").read_text())
    assert DAGSTER["additionalInstanceConfig"]["concurrency"] == instance["concurrency"]
    daemon = DAGSTER["dagsterDaemon"]
    for ours, charts in (("run_monitoring", "runMonitoring"), ("run_retries", "runRetries")):
        named = {re.sub(r"[A-Z]", lambda m: "_" + m[0].lower(), name): value for name, value in daemon[charts].items()}
        assert named == instance[ours]
    kept = DAGSTER["retention"]["sensor"]["purgeAfterDays"]
    assert {name: kept[name] for name in instance["retention"]["sensor"]["purge_after_days"]} == (
        instance["retention"]["sensor"]["purge_after_days"]
    )
    workspace = yaml.safe_load((ROOT / "workspace.yaml").read_text())
    assert workspace["load_from"][0]["grpc_server"]["location_name"] == "stock_platform"
    version = re.search(r'"dagster==([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert version
    assert f"--version {version[1]} " in (FOLDER / "dagster-values.yaml").read_text()


def test_grafana_reads_the_repositorys_files_which_are_in_its_image() -> None:
    assert GRAFANA["image"]["repository"] == "stock-platform-grafana"
    assert GRAFANA["grafana.ini"]["paths"]["provisioning"] == "/app/grafana/provisioning"
    needed = set(re.findall(rf"\$({PREFIX}\w+)", "".join(p.read_text() for p in (ROOT / "grafana/provisioning").rglob("*.yaml"))))
    assert needed == GRAFANA["env"].keys() | GRAFANA["envValueFrom"].keys()


def test_secrets_are_named_in_the_readme_and_hold_passwords_of_our_roles() -> None:
    text = "".join(path.read_text() for path in FOLDER.glob("*.yaml"))
    readme = (FOLDER / "README.md").read_text()
    made_by_operators = {"platform", "flink", "api", "stock-platform-cluster-ca-cert"}
    named = set(re.findall(r"secretKeyRef: \{name: ([\w-]+)", text)) | set(re.findall(r"secretRef: \{name: ([\w-]+)", text))
    named |= set(re.findall(r"(?:existingSecret|SecretName): ([\w-]+)", text))
    assert {name for name in named if f"`{name}`" not in readme} <= made_by_operators
    roles = {role.lower() for role in re.findall(rf"{PREFIX}POSTGRES_(\w+)_PASSWORD", text)}
    assert roles <= set(ROLES)
    assert re.findall(r"(?i)password: [^{\s]", text) == []


def test_api_replicas_fit_the_connections_of_their_role() -> None:
    (limit,) = re.findall(r"ALTER ROLE api_reader CONNECTION LIMIT (\d+)", _migration())
    per_replica = int(of_kind("ConfigMap")["stock-platform"]["data"][f"{PREFIX}API_CONNECTIONS"])
    assert of_kind("HorizontalPodAutoscaler")["stock-platform-api"]["spec"]["maxReplicas"] * per_replica <= int(limit)


def _migration() -> str:
    return (ROOT / "stock_platform/contracts/migrations/0001_roles_and_schemas.sql").read_text()


@pytest.mark.parametrize("each", [*of_kind("Deployment").values(), *of_kind("Job").values()], ids=name_of)
def test_pods_may_do_no_more_than_they_must(each: dict[str, Any]) -> None:
    pod = each["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in [*pod["containers"], *pod.get("initContainers", [])]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"].keys() == {"requests", "limits"}


def test_probes_ask_pages_that_the_api_has() -> None:
    (container,) = of_kind("Deployment")["stock-platform-api"]["spec"]["template"]["spec"]["containers"]
    paths = {container[probe]["httpGet"]["path"] for probe in ("readinessProbe", "livenessProbe")}
    assert paths <= set(re.findall(r'"(/health/\w+)":', (ROOT / "frontend/openapi.json").read_text()))


def test_every_object_that_is_selected_exists() -> None:
    labels: set[tuple[str, str]] = set()
    for each in OBJECTS:
        spec = each["spec"] if "spec" in each else {}
        template = spec.get("template") or spec.get("podTemplate") or {}
        labels |= set(template.get("metadata", {}).get("labels", {}).items())
    (deployment,) = DAGSTER["dagster-user-deployments"]["deployments"]
    labels |= set(deployment["labels"].items())
    # Set by the operators on their pods.
    labels |= {("cnpg.io/cluster", name) for name in of_kind("Cluster")}
    for policy in of_kind("NetworkPolicy").values():
        peers = [peer["podSelector"] for rule in policy["spec"]["ingress"] for peer in rule["from"] if "podSelector" in peer]
        for selector in [policy["spec"]["podSelector"], *peers]:
            assert set(selector.get("matchLabels", {}).items()) <= labels
            for expression in selector.get("matchExpressions", []):
                assert set(expression["values"]) <= of_kind("FlinkDeployment").keys()
