"""What the browser's measurement makes of a tab's notes. Prices are 100.00 and a cent more an update."""

from benchmarks.browser import looked

NEVER = 0.0


def test_update_counts_from_when_it_was_sent_to_when_it_was_first_seen() -> None:
    notes = [["100.00", 1_030.0], ["100.01", 1_055.0], ["100.00", 1_500.0]]

    look = looked(_told(received=notes), [1_000.0, 1_020.0])

    assert look.sent_count == 2
    assert sorted(look.latencies_ms["received"]) == [30.0, 35.0]


def test_update_that_a_newer_one_replaced_is_sent_and_not_seen() -> None:
    look = looked(_told(changed=[["100.01", 1_055.0]]), [1_000.0, 1_020.0])

    assert (look.sent_count, look.latencies_ms["changed"]) == (2, [35.0])


def test_updates_from_before_the_look_or_near_its_end_are_left_out() -> None:
    notes = [[f"100.0{number}", 4_000.0] for number in range(4)]

    look = looked(_told(painted=notes), [999.0, 1_000.0, 2_999.0, 3_000.0, NEVER])

    assert (look.sent_count, sorted(look.latencies_ms["painted"])) == (2, [1_001.0, 3_000.0])


def _told(**notes: list[list[object]]) -> dict[str, object]:
    """The tab looked from 1,000 to 5,000 ms."""
    return {"since": 1_000.0, "until": 5_000.0, "received": [], "changed": [], "painted": [], **notes}
