"""What counts as a jump over night: one meaning for the gate's rule and for the check behind the corporate actions."""

from datetime import timedelta
from decimal import Decimal

JUMP_PCT = Decimal(25)
"""A 3:2 split, the smallest usual one, looks like a fall by 33 %. Bad news alone rarely takes a quarter of a large stock in a day,
and where it does, a person may look."""
OVERNIGHT = timedelta(days=12)
"""From the last session before New Year to the first one after it, in Taiwan; closes further apart have a gap between them."""
