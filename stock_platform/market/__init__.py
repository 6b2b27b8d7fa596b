"""Accepted truth: how a session is computed anew from its ticks and takes the place of what was wrong, a bar's passport, jumps
between sessions. Not here: judging bars (gate)."""
