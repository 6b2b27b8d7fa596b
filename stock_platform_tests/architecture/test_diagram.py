"""The picture of the architecture: drawn from the source beside it, which is the README's too."""

import hashlib
import re

import pytest

from stock_platform.config import ROOT

SOURCE = (ROOT / "docs/architecture.mmd").read_text()
PICTURE = (ROOT / "docs/architecture.svg").read_text()


def words(text: str) -> str:
    """Without the spaces, which the picture has in other places."""
    return re.sub(r"\s", "", text)


def test_picture_is_drawn_from_the_source() -> None:
    drawn = re.search(r"source sha256 ([0-9a-f]{64}) ", PICTURE)
    assert drawn, "architecture.svg names no source"
    assert drawn[1] == hashlib.sha256(SOURCE.encode()).hexdigest(), "run `node tools/render-diagram.mjs`"


def test_picture_shows_every_label_of_the_source_as_text() -> None:
    body = re.sub(r"<style>.*?</style>", "", PICTURE, flags=re.DOTALL)
    shown = words("".join(re.findall(r">([^<>]+)<", body)))
    labels = re.findall(r"[\[({]+([^\[\](){}]+)[\])}]+|(?:-\.|\|)\s*([a-z ]+?)\s*(?:\.->|\|)", SOURCE)
    parts = [part for pair in labels for label in pair for part in label.split("<br/>") if part]
    assert {"Kafka", "market.ticks.v1", "gate", "certified", "refused"} <= set(parts)
    assert [part for part in parts if words(part) not in shown] == []


def test_readme_shows_the_same_source() -> None:
    (block,) = re.findall(r"^```mermaid\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE)
    assert block == SOURCE


@pytest.mark.parametrize("name", ["architecture.svg", "architecture.mmd"])
def test_architecture_leads_to_picture_and_source(name: str) -> None:
    assert f"({name})" in (ROOT / "docs/architecture.md").read_text()
