"""Can Yahoo's stream be reached from here? Asked once, by `--feed auto`."""

import asyncio
from datetime import timedelta

from stock_platform.adapters.websocket import connected
from stock_platform.errors import FeedUnreachable


def probe_yahoo(url: str, within: timedelta) -> str | None:
    """None when the stream can be opened, else the reason in a few words."""

    async def knock() -> None:
        async with connected(url, within=within):
            pass

    try:
        asyncio.run(knock())
    except FeedUnreachable as error:
        return str(error.__cause__ or error).splitlines()[0][:100]
    return None
