"""Accepted truth: where a bar comes from, and a session computed anew. Not here: judging bars (gate), promoting restated ones."""
