package stockplatform;

import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.io.SerializedString;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.StringData;

/** Fields of a message of market.ticks.v1, as contracts/tick.py describes them, and how each is read; a test compares the two. */
enum TickField {
    SYMBOL(Kind.TEXT),
    PRICE(Kind.PRICE),
    DAY_VOLUME(Kind.QUANTITY, true),
    SIZE(Kind.QUANTITY, true),
    TS_EVENT(Kind.INSTANT),
    TS_RECV(Kind.INSTANT),
    SESSION_PHASE(Kind.TEXT, List.of("pre", "regular", "post", "closed")),
    CURRENCY(Kind.TEXT),
    PREVIOUS_CLOSE(Kind.PRICE, true),
    SOURCE(Kind.TEXT, List.of("yahoo", "simulator", "tape")),
    LINE(Kind.TEXT),
    LINE_SEQ(Kind.QUANTITY),
    TICK_ID(Kind.TEXT),
    IS_SUSPECT(Kind.FLAG),
    IS_CONTINUOUS(Kind.FLAG);

    /** How a field's value is written in JSON. */
    enum Kind { TEXT, PRICE, QUANTITY, INSTANT, FLAG }

    /** Bits of the fields that no message may lack. */
    static final int REQUIRED;
    private static final Map<String, TickField> BY_KEY = new HashMap<>();
    private static final int LONGEST_TEXT = 64;
    /** Numbers below are seconds (until the year 5138), numbers above are microseconds (since 1970-04). */
    private static final long EARLIEST_MS = 100_000_000_000L;
    private static final long LATEST_MS = 10_000_000_000_000L;

    static {
        int required = 0;
        for (TickField field : values()) {
            BY_KEY.put(field.key, field);
            required |= field.isNullable ? 0 : 1 << field.ordinal();
        }
        REQUIRED = required;
    }

    final String key = name().toLowerCase(Locale.ROOT);
    final SerializedString serializedKey = new SerializedString(key);
    final boolean isNullable;
    private final Kind kind;
    /** All that a text may be; none: anything. */
    private final List<String> members;

    TickField(Kind kind) {
        this(kind, false, List.of());
    }

    TickField(Kind kind, boolean isNullable) {
        this(kind, isNullable, List.of());
    }

    TickField(Kind kind, List<String> members) {
        this(kind, false, members);
    }

    TickField(Kind kind, boolean isNullable, List<String> members) {
        this.kind = kind;
        this.isNullable = isNullable;
        this.members = members;
    }

    /** The field of that key, or null. */
    static TickField of(String key) {
        return BY_KEY.get(key);
    }

    /**
     * The value that the parser stands at, as Flink keeps it in a row.
     *
     * @throws Refusal it is not of this field's kind
     */
    Object read(JsonParser json) throws IOException, Refusal {
        if (json.currentToken() == JsonToken.VALUE_NULL) {
            if (isNullable) {
                return null;
            }
            throw new Refusal("missing_field:" + key, "the field is null");
        }
        return switch (kind) {
            case TEXT -> StringData.fromString(text(json));
            case PRICE -> DecimalData.fromUnscaledLong(price(json), Price.PRECISION, Price.SCALE);
            case QUANTITY -> quantity(json);
            case INSTANT -> instant(json);
            case FLAG -> flag(json);
        };
    }

    private String text(JsonParser json) throws IOException, Refusal {
        String text = json.currentToken() == JsonToken.VALUE_STRING ? json.getText() : "";
        if (!isPrintable(text)) {
            throw refusal("bad_text", "1 to 64 printable characters", json);
        }
        if (!members.isEmpty() && !members.contains(text)) {
            throw refusal("bad_" + key, "one of " + members, json);
        }
        return text;
    }

    /** Postgres refuses NUL in text, and would refuse the row for ever. */
    private static boolean isPrintable(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i)) || Character.isSurrogate(text.charAt(i))) {
                return false;
            }
        }
        return !text.isBlank() && text.length() <= LONGEST_TEXT;
    }

    private long price(JsonParser json) throws IOException, Refusal {
        long scaled = json.currentToken() == JsonToken.VALUE_STRING ? Price.parse(json.getText()) : -1;
        if (scaled <= 0) {
            throw refusal("bad_price", "decimal text > 0 with at most 6 decimals", json);
        }
        return scaled;
    }

    private long quantity(JsonParser json) throws IOException, Refusal {
        long value = integer(json);
        if (value < 0) {
            throw refusal("bad_quantity", "a 64-bit integer >= 0", json);
        }
        return value;
    }

    private long instant(JsonParser json) throws IOException, Refusal {
        long value = integer(json);
        if (value < EARLIEST_MS || value >= LATEST_MS) {
            throw refusal("bad_time", "epoch milliseconds", json);
        }
        return value;
    }

    /** -1 where it is none, or too long. */
    private static long integer(JsonParser json) throws IOException {
        boolean isLong = json.currentToken() == JsonToken.VALUE_NUMBER_INT
                && json.getNumberType() != JsonParser.NumberType.BIG_INTEGER;
        return isLong ? json.getLongValue() : -1;
    }

    private boolean flag(JsonParser json) throws IOException, Refusal {
        if (!json.currentToken().isBoolean()) {
            throw refusal("bad_flag", "true or false", json);
        }
        return json.getBooleanValue();
    }

    private Refusal refusal(String reason, String expected, JsonParser json) throws IOException {
        return new Refusal(reason, key + ": expected " + expected + ", found " + found(json));
    }

    /** What the parser stands at, for a person. */
    static String found(JsonParser json) throws IOException {
        if (json.currentToken() == null) {
            return "nothing";
        }
        return switch (json.currentToken()) {
            case START_OBJECT -> "an object";
            case START_ARRAY -> "an array";
            case VALUE_STRING -> '"' + json.getText() + '"';
            default -> json.getText();
        };
    }
}
