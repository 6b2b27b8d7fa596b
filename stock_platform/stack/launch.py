"""Start and stop the stack: by health, not by hope; safe to repeat, after a crash too."""

from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from datetime import timedelta
from graphlib import TopologicalSorter

from stock_platform.adapters import processes
from stock_platform.adapters.clock import Clock, wait_until
from stock_platform.adapters.processes import Supervisor
from stock_platform.config import Settings
from stock_platform.errors.stack import ServiceUnhealthy
from stock_platform.stack import layout, preflight, prepare, stream_job
from stock_platform.stack.service import Service, Step
from stock_platform.stack.supervisord import HOME_MARKER

Say = Callable[[str, str], None]
"""Told of each progress: name of the service or step, and what happened."""

_HEALTHY_WITHIN = timedelta(seconds=180)
_WORKER = "flink-taskmanager"


def up(settings: Settings, services: list[Service], steps: list[Step], *, clock: Clock, say: Say) -> None:
    """Bring every service to health, in the order of their needs; what is healthy already is left alone.

    Raises:
        PlatformError: a sentence that says what stands in the way.
    """
    supervisor = Supervisor(settings.home)
    if not supervisor.alive():
        _end_leftovers(settings, say)
        preflight.check_ports(services)
        prepare.prepare(settings, services)
        prepare.start_manager(settings.home)
        wait_until(supervisor.alive, clock, within=timedelta(seconds=20))
    nodes: dict[str, Service | Step] = {node.name: node for node in [*services, *steps]}
    _walk(nodes, supervisor, settings, clock, say)


def _walk(nodes: Mapping[str, Service | Step], supervisor: Supervisor, settings: Settings, clock: Clock, say: Say) -> None:
    order = TopologicalSorter({name: node.after for name, node in nodes.items()})
    order.prepare()
    waiting: dict[str, Callable[[], str | None]] = {}
    started = clock.now()
    with ThreadPoolExecutor(max_workers=len(nodes)) as pool:
        while order.is_active():
            for name in order.get_ready():
                waiting[name] = _begin(nodes[name], supervisor, pool)
            for name in [name for name, problem in waiting.items() if problem() is None]:
                del waiting[name]
                order.done(name)
                say(name, "healthy" if isinstance(nodes[name], Service) else "done")
            if waiting:
                _check_deadline(waiting, settings, (clock.now() - started).total_seconds())
                clock.sleep(timedelta(milliseconds=100))


def _begin(node: Service | Step, supervisor: Supervisor, pool: Executor) -> Callable[[], str | None]:
    """Start it; returns the question whether it is ready."""
    if isinstance(node, Service):
        supervisor.start(node.name)
        return node.problem
    future = pool.submit(node.act)
    return lambda: None if _is_done(future) else "it is under way"


def _is_done(future: Future[object]) -> bool:
    """Whether a step has ended; raises what it raised."""
    if future.done():
        future.result()
    return future.done()


def _check_deadline(waiting: Mapping[str, Callable[[], str | None]], settings: Settings, waited_s: float) -> None:
    if waited_s > _HEALTHY_WITHIN.total_seconds():
        name, problem = next(iter(waiting.items()))
        reason = problem() or "it became healthy too late"
        raise ServiceUnhealthy(name, waited_s, reason, layout.logs(settings.home) / f"{name}.log")


def down(settings: Settings, services: list[Service], *, clock: Clock, say: Say) -> bool:
    """Stop everything, readers before writers, so that nothing is cut off in the middle; False when nothing ran."""
    supervisor = Supervisor(settings.home)
    if not supervisor.alive():
        return _end_leftovers(settings, say)
    running = supervisor.processes()
    for service in reversed(services):
        if service.name in running:
            if service.name == _WORKER:
                # Whoever would submit the job again has been stopped by now.
                say("stream-job", stream_job.save(settings))
            supervisor.stop(service.name)
            say(service.name, "stopped")
    supervisor.shutdown()
    wait_until(lambda: not supervisor.alive(), clock, within=timedelta(seconds=60))
    _end_leftovers(settings, lambda _name, _what: None)
    return True


def _end_leftovers(settings: Settings, say: Say) -> bool:
    """End what an earlier stack of this folder left behind when its process manager was killed."""
    orphans = processes.orphans_of(settings.home, HOME_MARKER)
    if orphans:
        say("leftovers", f"ending {len(orphans)} processes of an earlier start")
        processes.end(orphans, within_s=30)
    return bool(orphans)
