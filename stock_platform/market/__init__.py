"""Accepted truth: how a session is computed anew from its ticks. Not here: judging bars (gate), promotion of what is restated."""
