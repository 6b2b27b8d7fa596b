package stockplatform;

/** Fields of a message of market.ticks.v1, as contracts/tick.py describes them; a test compares the two. */
enum TickField {
    SYMBOL(Kind.TEXT),
    PRICE(Kind.PRICE),
    DAY_VOLUME(Kind.QUANTITY, true),
    SIZE(Kind.QUANTITY, true),
    TS_EVENT(Kind.INSTANT),
    TS_RECV(Kind.INSTANT),
    SESSION_PHASE(Kind.TEXT),
    CURRENCY(Kind.TEXT),
    PREVIOUS_CLOSE(Kind.PRICE, true),
    SOURCE(Kind.TEXT),
    LINE(Kind.TEXT),
    LINE_SEQ(Kind.QUANTITY),
    TICK_ID(Kind.TEXT),
    IS_SUSPECT(Kind.FLAG),
    IS_CONTINUOUS(Kind.FLAG);

    /** How a field's value is written in JSON. */
    enum Kind { TEXT, PRICE, QUANTITY, INSTANT, FLAG }

    final Kind kind;
    final boolean isNullable;

    TickField(Kind kind) {
        this(kind, false);
    }

    TickField(Kind kind, boolean isNullable) {
        this.kind = kind;
        this.isNullable = isNullable;
    }

    String key() {
        return name().toLowerCase(java.util.Locale.ROOT);
    }
}
