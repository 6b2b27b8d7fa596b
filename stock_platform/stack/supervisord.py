"""Render the process manager's configuration: nothing starts by itself (order is by health), everything that dies is restarted."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from stock_platform.stack.service import Service

HOME_MARKER = "STOCK_PLATFORM_HOME"
"""Environment variable that every process of a stack carries, so that leftovers of a crash can be found."""

_MANAGER = """\
[supervisord]
logfile={home}/logs/supervisord.log
logfile_maxbytes=5MB
logfile_backups=1
pidfile={home}/supervisord.pid
childlogdir={home}/logs
umask=077

[unix_http_server]
file={socket}
chmod=0600

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface
"""

_PROGRAM = """\
[program:{name}]
command={command}
directory={folder}
environment={environment}
autostart=false
autorestart=true
startsecs=1
startretries=1000000
stopsignal={stop_signal}
stopwaitsecs={stop_within_s}
stopasgroup={as_group}
killasgroup=true
redirect_stderr=true
stdout_logfile={home}/logs/{name}.log
stdout_logfile_maxbytes=10MB
stdout_logfile_backups=2
"""


def configuration(home: Path, socket: Path, services: Iterable[Service], environment: Mapping[str, str]) -> str:
    """supervisord.conf as text; holds passwords of the services' environments, so the file is for its owner only."""
    programs = [_program(home, service, {**environment, HOME_MARKER: str(home)}) for service in services]
    return "\n".join([_MANAGER.format(home=home, socket=socket), *programs])


def _program(home: Path, service: Service, environment: Mapping[str, str]) -> str:
    merged = {**environment, **service.environment}
    return _PROGRAM.format(
        name=service.name,
        command=_escape(" ".join(map(_quote, service.command))),
        folder=service.folder or home,
        environment=",".join(f'{name}="{_escape(value)}"' for name, value in merged.items()),
        stop_signal=service.stop_signal,
        stop_within_s=service.stop_within_s,
        as_group="false" if service.stop_signal == "INT" else "true",
        home=home,
    )


def _quote(word: str) -> str:
    return f"'{word}'" if any(character in word for character in ' ";') else word


def _escape(text: str) -> str:
    return text.replace("%", "%%")
