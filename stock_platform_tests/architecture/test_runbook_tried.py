"""Each line of the runbook was tried: here stands the test that breaks what the line is about and sees the remedy work."""

import re
from pathlib import Path

import pytest

from stock_platform.config import ROOT

TESTS = ROOT / "stock_platform_tests"
TRIED: dict[str, tuple[str, ...]] = {
    "error Port … is taken by": ("unit/test_stack.py::busy_port_is_a_sentence_with_the_owner_and_the_setting",),
    "error Not installed, or only half": ("unit/test_stack.py::half_an_installation_is_a_sentence_with_what_is_missing",),
    'page says "stale since': (
        "integration/test_feed_supervisor.py::line_that_beats_is_left_alone_and_one_that_is_silent_is_replaced",
        "faults/test_feed_lines.py::killed_line_is_replaced_and_its_twin_brings_everything",
    ),
    "a feed line is red": (
        "faults/test_feed_lines.py::muted_socket_is_left_and_its_twin_brings_everything",
        "faults/test_feed_lines.py::killed_line_is_replaced_and_its_twin_brings_everything",
        "faults/test_feed_lines.py::cut_of_every_line_stands_in_the_books_with_its_bounds",
    ),
    'feed_supervisor fails with "watchlist"': (
        "integration/test_feed_supervisor.py::wrong_watchlist_is_said_by_the_supervisor",
        "unit/test_feed_watchlist.py::wrong_watchlist_is_refused_with_line_and_reason",
    ),
    'page says "sleeps until its markets open"': ("integration/test_feed_supervisor.py::line_sleeps_while_its_markets_do",),
    'polling or history says "answered 429': (
        "integration/test_yahoo_http.py::refusal_closes_the_door_for_another_process_and_no_request_leaves",
        "integration/test_yahoo_http.py::after_the_pause_one_caller_tries_and_its_answer_opens_the_door_for_all",
    ),
    'page says "reconnecting': (
        "end_to_end/test_simulator.py::killed_api_comes_back",
        "browser/test_page.py::api_that_dies_and_returns_is_said_and_no_earlier_sale_is_shown",
    ),
    'page says "polling every 10 s"': ("browser/test_page.py::page_polls_where_the_api_has_no_stream",),
    "provisional bars stay provisional": (
        "end_to_end/test_tape_restated.py::batch_of_wrong_bars_is_blocked_and_its_session_held_until_it_is_mended",
    ),
    "a gate run failed on a check": (
        "end_to_end/test_tape_restated.py::batch_of_wrong_bars_is_blocked_and_its_session_held_until_it_is_mended",
    ),
    'an aggregate\'s run fails with "Session … is held"': (
        "integration/test_held_session.py::blocked_batch_holds_the_session_until_a_good_one_comes",
        "integration/test_held_session.py::person_lets_a_blocked_batch_through_and_what_is_refused_waits_in_quarantine",
    ),
    "a bar is suspect": (
        "integration/test_gate_rules.py::bar_held_because_of_a_split_is_judged_again_when_the_split_is_known",
        "integration/test_passport.py::passport_names_the_run_with_its_code_and_every_rule",
    ),
    "a bar looks wrong": ("integration/test_passport.py::different_bar_ends_the_command_with_1_and_both_values",),
    "minutes are missing": ("soak/test_gaps.py::outage_halt_and_lost_bar_stand_in_the_ledger_and_what_can_be_repaired_is",),
    "check no_open_pipeline_gap is red": (
        "soak/test_gaps.py::outage_halt_and_lost_bar_stand_in_the_ledger_and_what_can_be_repaired_is",
    ),
    "check near_vendor is red": ("integration/test_reconciliation.py::ended_session_is_requested_once_and_told_field_by_field",),
    "the metadata of staging/vendor_bar_1m has held": (
        "integration/test_yahoo_vendor.py::bad_rows_are_kept_and_held_with_the_names_of_the_rules_that_they_break",
    ),
    "bars are missing": (
        "integration/test_dead_letters.py::letter_is_shown_with_its_message_its_place_and_the_next_step",
        "integration/test_quarantine_desk.py::sheet_shows_what_changed_since_the_refusal_and_what_was_decided",
    ),
    "Flink job is not RUNNING": (
        "integration/test_ticks_to_bars.py::job_manager_kill_and_resubmission_lose_and_double_no_bar",
        "integration/test_stream_supervisor.py::job_that_is_gone_is_asked_for",
    ),
    "stream_job is refused": ("integration/test_flink_operations.py::changed_plan_is_refused_and_a_rebuild_gives_the_same_bytes",),
    "check checkpoint_fresh is red": (
        "integration/test_stream_supervisor.py::check_is_evaluated_when_its_answer_changes_and_not_at_every_look",
    ),
    "check no_torn_bar is red": ("integration/test_torn_bars.py::rebuilt_bar_takes_the_late_ticks_and_leaves_the_ledger",),
    "check no_jump_without_factor is red": ("integration/test_adjusted.py::check_names_a_jump_until_its_split_is_known",),
    "a …_total_return_adjusted price is null": (
        "integration/test_adjusted.py::payment_that_cannot_be_applied_is_shown_with_its_reason",
    ),
    "check slo_met is red": ("integration/test_service_level.py::error_budget_sums_the_thirty_newest_sessions",),
    "check latency_within is red": ("integration/test_service_level.py::session_is_within_when_its_minutes_are",),
    "check fresh_in_session is red": ("unit/test_freshness.py::asset_is_held_to_what_its_market_has_traded",),
    "Dagster's pages are to be shown to others": (
        "unit/test_stack.py::dagsters_pages_can_be_shown_to_others_without_their_buttons",
    ),
    'a run\'s page says "not found"': ("integration/test_retention.py::rare_runs_are_kept_longer_than_those_of_every_minute",),
    "everything is odd after a power cut": ("end_to_end/test_simulator.py::crash_of_everything_is_recovered_by_the_next_up",),
    "## The stream job and its state": (
        "end_to_end/test_tape_restated.py::down_and_up_go_on_from_a_savepoint",
        "integration/test_flink_operations.py::changed_plan_is_refused_and_a_rebuild_gives_the_same_bytes",
        "integration/test_flink_operations.py::state_that_cannot_be_read_gives_way_to_an_older_one_and_never_to_none",
    ),
    "### Torn bars": ("integration/test_runbook_queries.py::removal_that_the_administrator_is_told_is_understood",),
    "## Minutes are missing": ("soak/test_gaps.py::outage_halt_and_lost_bar_stand_in_the_ledger_and_what_can_be_repaired_is",),
    "## Restate a session": (
        "end_to_end/test_tape_restated.py::restatement_from_another_tape_changes_exactly_the_bars_concerned_and_back",
        "end_to_end/test_tape_restated.py::protected_session_is_not_restated",
        "faults/test_kill_in_restatement.py::next_restatement_needs_no_help_and_gives_the_right_difference",
        "integration/test_restated_from_vendor.py::vendor_is_asked_at_once_when_a_person_wants_it",
    ),
    "## Our bars differ from the vendor's": (
        "integration/test_reconciliation.py::instrument_that_is_corrected_takes_the_vendors_prices_where_they_differ",
        "integration/test_reconciliation.py::split_is_undone_before_bars_are_compared",
    ),
    "## A bar is in quarantine": (
        "integration/test_quarantine_desk.py::release_waits_for_the_mended_bar_and_then_promotes_it_as_the_gate_would",
        "integration/test_quarantine_desk.py::override_promotes_a_bar_that_breaks_a_rule_as_suspect_and_keeps_the_revision_before",
        "integration/test_quarantine_desk.py::discarded_bar_stays_so_through_gate_runs_and_reopens_with_a_newer_version",
    ),
    "## Dead letters": (
        "integration/test_dead_letters.py::replayed_message_is_the_original_and_leaves_a_trace",
        "integration/test_dead_letters.py::letters_of_the_feed_become_suspect_ticks_or_stay_refused",
        "integration/test_lateness.py::letter_that_is_sent_again_comes_into_its_bar_once",
    ),
    "## Alert: the feed is silent": (
        "faults/test_feed_lines.py::cut_of_every_line_stands_in_the_books_with_its_bounds",
        "integration/test_grafana.py::alert_s_number_is_what_its_threshold_is_about",
    ),
    "## Alert: the stream job does not run or lags": (
        "faults/test_kill_in_mid_tape.py::kill_of_feed_run_task_manager_and_broker_in_mid_tape_loses_no_bar",
        "integration/test_grafana.py::alert_s_number_is_what_its_threshold_is_about",
    ),
    "## Alert: a batch is blocked": (
        "end_to_end/test_tape_restated.py::batch_of_wrong_bars_is_blocked_and_its_session_held_until_it_is_mended",
    ),
    "## Alert: the error budget burns": (
        "integration/test_service_level.py::minutes_are_good_excused_or_spent",
        "integration/test_gap_repair.py::outage_is_repaired_from_the_vendors_history_and_closed_by_the_run",
    ),
}
_RUNBOOK = (ROOT / "docs/runbook.md").read_text()


def lines_of_the_runbook() -> list[str]:
    """First cells of its table of symptoms, and its headings."""
    symptoms = _RUNBOOK.partition("\n## ")[0]
    cells = re.findall(r"^\| (.+?) \|", symptoms, re.MULTILINE)[1:]
    return [cell.replace("`", "") for cell in cells] + re.findall(r"^##+ .+$", _RUNBOOK, re.MULTILINE)


def test_every_line_of_the_runbook_was_tried_and_nothing_else_is_named() -> None:
    lines = lines_of_the_runbook()
    found = {line: [said for said in TRIED if line.startswith(said)] for line in lines}
    assert [line for line, named in found.items() if len(named) != 1] == []
    assert len(lines) == len(TRIED)


@pytest.mark.parametrize("trial", sorted({each for trials in TRIED.values() for each in trials}))
def test_trial_exists(trial: str) -> None:
    path, _, name = trial.partition("::")
    assert re.search(rf"^def test_{name}\(", Path(TESTS / path).read_text(), re.MULTILINE), trial
