"""The link from a run's events to its page of Data Docs. Not here: the page (gate/data_docs), who answers it (api/data_docs)."""

import dagster as dg

from stock_platform.contracts.runs import DATA_DOCS
from stock_platform.defs.world import World
from stock_platform.gate.judge import Judgement


def data_docs(world: World, run_id: str, judgement: Judgement) -> dict[str, dg.UrlMetadataValue]:
    """Metadata of whatever the run judged; nothing where there was no bar."""
    if judgement.validated is None:
        return {}
    return {"Data Docs": dg.MetadataValue.url(f"{world.settings.api_page}{DATA_DOCS}{run_id}")}
