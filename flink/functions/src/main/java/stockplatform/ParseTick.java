package stockplatform;

import java.io.IOException;
import java.time.Instant;
import java.util.Base64;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.DeserializationFeature;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectReader;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.json.JsonMapper;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.functions.TableFunction;

/**
 * Bytes of a Kafka message → one row: a tick's fields with {@code reason} null, or a reason, a detail and the payload.
 *
 * <p>Total: whatever the bytes are, one row comes out and nothing is thrown; a message that could kill the job would
 * kill it again after each restart.
 */
@FunctionHint(output = @DataTypeHint(value = ParseTick.ROW, bridgedTo = RowData.class))
public final class ParseTick extends TableFunction<RowData> {
    static final String ROW = "ROW<reason STRING, detail STRING, payload_base64 STRING, ts_dead BIGINT, "
            + "symbol STRING, price DECIMAL(18, 6), day_volume BIGINT, ts_event BIGINT, ts_recv BIGINT, session_phase STRING, currency STRING, "
            + "previous_close DECIMAL(18, 6), source STRING, is_continuous BOOLEAN>";
    private static final int WIDTH = 14;
    private static final int FIRST_TICK_FIELD = 4;
    private static final long serialVersionUID = 1L;
    private static final Set<String> PHASES = Set.of("pre", "regular", "post", "closed");
    private static final Set<String> SOURCES = Set.of("yahoo", "simulator", "tape");
    private static final int LONGEST_TEXT = 64;
    /** Numbers below are seconds (until the year 5138), numbers above are microseconds (since 1970-04). */
    private static final long EARLIEST_MS = 100_000_000_000L;
    private static final long LATEST_MS = 10_000_000_000_000L;
    private static final ObjectReader JSON = JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS, DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
            .build()
            .readerFor(JsonNode.class);

    /**
     * @param payload the message's value; null for a tombstone
     * @param kafkaTs when Kafka took the message; the only clock, so that a replay judges as the first run did
     * @param lateMs most that Kafka's time may be behind the event time of a tick that makes a bar; 0 switches the limit
     *     off, for tapes. The last price of a closed market is as old as the market is closed.
     */
    public void eval(byte[] payload, Instant kafkaTs, long lateMs) {
        try {
            collect(row(parse(payload, kafkaTs, lateMs)));
        } catch (Refusal refusal) {
            collect(deadLetter(refusal, payload, kafkaTs));
        }
    }

    /** The tick in the message, checked in full. */
    static JsonNode parse(byte[] payload, Instant kafkaTs, long lateMs) throws Refusal {
        JsonNode tick = read(payload);
        for (TickField field : TickField.values()) {
            check(field, tick.get(field.key()));
        }
        checkMember(tick, TickField.SESSION_PHASE, PHASES);
        checkMember(tick, TickField.SOURCE, SOURCES);
        boolean makesBar = "regular".equals(tick.get(TickField.SESSION_PHASE.key()).textValue());
        long behindMs = kafkaTs.toEpochMilli() - tick.get(TickField.TS_EVENT.key()).longValue();
        if (makesBar && lateMs > 0 && behindMs > lateMs) {
            throw new Refusal("too_late", "ts_event is " + behindMs + " ms before Kafka's time; limit " + lateMs);
        }
        return tick;
    }

    private static JsonNode read(byte[] payload) throws Refusal {
        if (payload == null || payload.length == 0) {
            throw new Refusal("empty", "the message has no value");
        }
        try {
            JsonNode node = JSON.readTree(payload);
            if (node.isObject()) {
                return node;
            }
            throw new Refusal("bad_json", "expected a JSON object, found " + node.getNodeType());
        } catch (IOException | RuntimeException unreadable) { // a parser's own bug must not kill the job either
            throw new Refusal("bad_json", String.valueOf(unreadable.getMessage()).lines().findFirst().orElse(""));
        }
    }

    private static void check(TickField field, JsonNode value) throws Refusal {
        if (value == null || value.isNull()) {
            if (field.isNullable) {
                return;
            }
            throw new Refusal("missing_field:" + field.key(), value == null ? "the field is absent" : "the field is null");
        }
        switch (field.kind) {
            case TEXT -> require(isText(value), "bad_text", field, value, "1 to 64 printable characters");
            case PRICE -> require(isPrice(value), "bad_price", field, value, "decimal text > 0 with at most 6 decimals");
            case QUANTITY -> require(isQuantity(value), "bad_quantity", field, value, "a 64-bit integer >= 0");
            case INSTANT -> require(isInstant(value), "bad_time", field, value, "epoch milliseconds");
            case FLAG -> require(value.isBoolean(), "bad_flag", field, value, "true or false");
        }
    }

    private static void checkMember(JsonNode tick, TickField field, Set<String> members) throws Refusal {
        JsonNode value = tick.get(field.key());
        require(members.contains(value.textValue()), "bad_" + field.key(), field, value, "one of " + new TreeSet<>(members));
    }

    private static void require(boolean holds, String reason, TickField field, JsonNode found, String expected) throws Refusal {
        if (!holds) {
            throw new Refusal(reason, field.key() + ": expected " + expected + ", found " + found);
        }
    }

    /** Postgres refuses NUL in text, and would refuse the row for ever. */
    private static boolean isText(JsonNode value) {
        return value.isTextual()
                && !value.textValue().isBlank()
                && value.textValue().length() <= LONGEST_TEXT
                && value.textValue().chars().noneMatch(c -> Character.isISOControl(c) || Character.isSurrogate((char) c));
    }

    private static boolean isPrice(JsonNode value) {
        return value.isTextual() && Price.parse(value.textValue()) > 0;
    }

    private static boolean isQuantity(JsonNode value) {
        return value.isIntegralNumber() && value.canConvertToLong() && value.longValue() >= 0;
    }

    private static boolean isInstant(JsonNode value) {
        return isQuantity(value) && value.longValue() >= EARLIEST_MS && value.longValue() < LATEST_MS;
    }

    private static RowData row(JsonNode tick) {
        GenericRowData row = new GenericRowData(WIDTH);
        int at = FIRST_TICK_FIELD;
        for (TickField field : new TickField[] {
            TickField.SYMBOL, TickField.PRICE, TickField.DAY_VOLUME, TickField.TS_EVENT, TickField.TS_RECV,
            TickField.SESSION_PHASE, TickField.CURRENCY, TickField.PREVIOUS_CLOSE, TickField.SOURCE, TickField.IS_CONTINUOUS
        }) {
            row.setField(at++, internal(field, tick.get(field.key())));
        }
        return row;
    }

    private static Object internal(TickField field, JsonNode value) {
        if (value == null || value.isNull()) {
            return null;
        }
        return switch (field.kind) {
            case TEXT -> StringData.fromString(value.textValue());
            case PRICE -> DecimalData.fromUnscaledLong(Price.parse(value.textValue()), Price.PRECISION, Price.SCALE);
            case QUANTITY, INSTANT -> value.longValue();
            case FLAG -> value.booleanValue();
        };
    }

    private static RowData deadLetter(Refusal refusal, byte[] payload, Instant kafkaTs) {
        GenericRowData row = new GenericRowData(WIDTH);
        byte[] original = payload == null ? new byte[0] : payload;
        row.setField(0, StringData.fromString(refusal.reason));
        row.setField(1, StringData.fromString(refusal.detail));
        row.setField(2, StringData.fromString(Base64.getEncoder().encodeToString(original)));
        row.setField(3, kafkaTs.toEpochMilli());
        return row;
    }
}
