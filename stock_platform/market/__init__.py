"""Accepted truth: how a session is computed anew from its ticks, which moves between sessions no corporate action explains.

Not here: judging bars (gate), promotion of what is restated."""
