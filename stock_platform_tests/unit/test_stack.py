"""The stack's own logic without servers: order, sentences, configuration, profiles."""

import configparser
import socket
import subprocess
from pathlib import Path

import pytest

from stock_platform import config
from stock_platform.adapters import processes
from stock_platform.commands.profile import choose_feed, create_profile
from stock_platform.config import ROOT, Settings
from stock_platform.errors import SettingInvalid, TapeChanged
from stock_platform.errors.stack import CommandFailed, DiskFull, InstallationIncomplete, PortBusy
from stock_platform.names import ROLES
from stock_platform.stack import layout, preflight
from stock_platform.stack.passwords import ensure_secrets
from stock_platform.stack.service import Service
from stock_platform.stack.services import services
from stock_platform.stack.supervisord import configuration


def service(**changes: object) -> Service:
    values = {"name": "echo", "command": ("echo", "a b", "100%"), "version": "1", "problem": lambda: None, **changes}
    return Service(**values)  # type: ignore[arg-type]


def test_manager_starts_nothing_by_itself_and_restarts_what_dies(tmp_path: Path) -> None:
    parser = configparser.RawConfigParser()
    parser.read_string(configuration(tmp_path, tmp_path / "s.sock", [service()], {"A": "1%"}))
    program = parser["program:echo"]
    assert (program["autostart"], program["autorestart"]) == ("false", "true")
    assert program["command"] == "echo 'a b' 100%%"
    assert 'A="1%%"' in program["environment"]


def test_busy_port_is_a_sentence_with_the_owner_and_the_setting() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy, match=rf"Port {port} of echo is taken by .* \(pid .*set STOCK_PLATFORM_API_PORT"):
            preflight.check_ports([service(port=port, port_setting="STOCK_PLATFORM_API_PORT")])


def test_half_an_installation_is_a_sentence_with_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar = tmp_path / "functions.jar"
    monkeypatch.setattr(layout, "INSTALLED", (tmp_path, jar))
    with pytest.raises(InstallationIncomplete, match=rf"{jar} is missing. Run `make install`, which finishes what is left"):
        preflight.check_installation()
    jar.touch()
    preflight.check_installation()


def test_dagsters_pages_can_be_shown_to_others_without_their_buttons() -> None:
    def options(**changes: bool) -> tuple[str, ...]:
        listed = services(Settings(_env_file=None, **changes))  # type: ignore[call-arg, arg-type]
        return next(each.command for each in listed if each.name == "dagster-webserver")

    assert "--read-only" not in options()
    assert "--read-only" in options(dagster_read_only=True)


def test_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight, "_NEEDED_MIB", 10**9)
    with pytest.raises(DiskFull, match="expected at least 1000000000 MiB"):
        preflight.check_room(tmp_path)


def test_missing_tool_is_a_sentence_before_anything_is_installed(tmp_path: Path) -> None:
    for name in ("sh", "sed", "head"):
        (tmp_path / name).symlink_to(Path("/bin") / name)
    environment = {"PATH": str(tmp_path), "PYTHON": "python-that-is-not-there"}
    done = subprocess.run([ROOT / "tools" / "check-tools"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    for tool in ("Python 3.11", "a JDK 17 or 21", "Maven", "Node.js 20"):
        assert f"missing: {tool}" in done.stderr


def test_passwords_are_generated_once_and_are_their_owners(tmp_path: Path) -> None:
    ensure_secrets(tmp_path)
    first = (tmp_path / "secrets.env").read_text()
    ensure_secrets(tmp_path)
    assert (tmp_path / "secrets.env").read_text() == first
    assert (tmp_path / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert len({line.split("=", 1)[1] for line in first.splitlines()}) == len(ROLES)


def test_profile_is_remembered_for_later_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCK_PLATFORM_API_PORT", "5999")
    create_profile("simulator", data_dir=tmp_path, tape=None, speed=1, as_live=False, watchlist=None)
    monkeypatch.delenv("STOCK_PLATFORM_API_PORT")
    settings = config.load(data_dir=tmp_path)
    assert (settings.api_port, settings.feed_kind, settings.profile) == (5999, "simulator", "simulator")
    assert settings.password("gate_owner")


def test_unusable_setting_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STOCK_PLATFORM_API_PORT", "http")
    with pytest.raises(SettingInvalid, match="STOCK_PLATFORM_API_PORT"):
        config.load(data_dir=tmp_path)


def test_tape_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid, match="--tape"):
        create_profile("tape", data_dir=tmp_path, tape=tmp_path / "none", speed=1, as_live=False, watchlist=None)


def test_another_tape_does_not_mix_with_the_data_of_the_first(tmp_path: Path, recorded_tape: Path) -> None:
    settings = create_profile("tape", data_dir=tmp_path, tape=recorded_tape, speed=1, as_live=False, watchlist=None)
    (settings.home / "postgres").mkdir()
    other = tmp_path / "other.parquet"
    other.write_bytes(recorded_tape.read_bytes())
    with pytest.raises(TapeChanged, match="--data-dir"):
        create_profile("tape", data_dir=tmp_path, tape=other, speed=1, as_live=False, watchlist=None)


def test_unknown_feed_is_a_sentence() -> None:
    with pytest.raises(SettingInvalid, match="one of auto, yahoo, simulator, tape"):
        choose_feed("bloomberg", "wss://x")


def test_unreachable_vendor_falls_back_to_the_simulator_and_says_why() -> None:
    kind, said = choose_feed("auto", "ws://127.0.0.1:1/")
    assert kind == "simulator"
    assert "does not answer" in said


def test_managers_socket_has_a_short_path_however_deep_the_folder() -> None:
    assert len(str(processes.socket_path(Path("/x" * 200)))) < 100


def test_failed_program_is_a_sentence_with_its_last_words() -> None:
    with pytest.raises(CommandFailed, match=r"sh ended with 3, expected 0\. It said: no user namespaces\."):
        processes.run(("sh", "-c", "echo no user namespaces; exit 3"))
