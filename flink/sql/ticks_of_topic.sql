-- A restatement's messages from market.ticks.v1, between two offsets of each partition. No offset is committed.
CREATE TABLE tick_in_range WITH ( -- noqa: PRS
    'properties.group.id' = 'restate_bars',
    'scan.startup.mode' = 'specific-offsets',
    'scan.startup.specific-offsets' = '${OFFSETS_START}',
    'scan.bounded.mode' = 'specific-offsets',
    'scan.bounded.specific-offsets' = '${OFFSETS_END}'
) LIKE market_ticks_v1;
