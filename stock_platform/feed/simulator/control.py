"""The control channel: what is connected, which faults are on, and more of them. Documented by itself at /control/docs."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from stock_platform.adapters.docs_page import serve_docs
from stock_platform.errors import FaultNameTaken, FaultUnknown
from stock_platform.feed.simulator.fault import Fault
from stock_platform.feed.simulator.faults import Faults
from stock_platform.feed.simulator.pace import Pace
from stock_platform.feed.simulator.scenario import sentence
from stock_platform.feed.simulator.stream import Stream
from stock_platform.feed.simulator.updates import instant


class ListedFault(BaseModel):
    """A fault, and whether it holds now."""

    fault: Fault
    is_active: bool


class Connection(BaseModel):
    """One open connection of the stream, in the order in which they came."""

    connection: int
    symbols: list[str]
    frames_sent: int
    frames_dropped: int


class State(BaseModel):
    """The simulator at this moment."""

    ts: str
    connections: list[Connection]
    frames_sent: int
    requests: dict[str, int]
    faults: list[ListedFault]


def create_control(stream: Stream, faults: Faults, pace: Pace, requests: dict[str, int]) -> FastAPI:
    """The application, to be mounted under /control."""
    app = FastAPI(
        title="Simulator's control channel",
        description="Faults of a simulated vendor; see docs/simulator.md.",
        docs_url=None,
        redoc_url=None,
    )
    serve_docs(app)

    def listed() -> list[ListedFault]:
        return [ListedFault(fault=each.fault, is_active=each.holds(pace.second())) for each in faults.all()]

    @app.get("/state")
    async def state() -> State:
        """What is connected, what has been sent, which faults there are."""
        connections = [
            Connection(
                connection=number,
                symbols=list(client.symbols),
                frames_sent=client.frames_sent,
                frames_dropped=client.frames_dropped,
            )
            for number, client in enumerate(stream.clients.values())
        ]
        return State(
            ts=instant(pace.second()).isoformat(),
            connections=connections,
            frames_sent=stream.frames_sent,
            requests=requests,
            faults=listed(),
        )

    @app.get("/faults")
    async def list_faults() -> list[ListedFault]:
        """Every fault, in the order in which they were added; those that are over, too."""
        return listed()

    @app.post("/faults", status_code=201)
    async def add_fault(fault: Fault) -> Fault:
        """Add a fault; it starts now, or when it says. The answer holds its id."""
        return faults.add(fault, now=pace.second())

    @app.delete("/faults/{fault_id}", status_code=204)
    async def remove_fault(fault_id: str) -> None:
        """Take a fault back."""
        faults.remove(fault_id)

    @app.delete("/faults", status_code=204)
    async def remove_all() -> None:
        """Take all faults back."""
        for each in faults.all():
            faults.remove(each.fault.id)

    @app.exception_handler(RequestValidationError)
    async def misread(request: Request, error: RequestValidationError) -> Response:
        return _no(422, sentence(error.errors()))

    @app.exception_handler(FaultNameTaken)
    async def taken(request: Request, error: FaultNameTaken) -> Response:
        return _no(422, str(error))

    @app.exception_handler(FaultUnknown)
    async def unknown(request: Request, error: FaultUnknown) -> Response:
        return _no(404, str(error))

    return app


def _no(status: int, text: str) -> Response:
    content: dict[str, Any] = {"error": text}
    return JSONResponse(content, status)
