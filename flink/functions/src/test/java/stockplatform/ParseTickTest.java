package stockplatform;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.flink.table.data.RowData;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ParseTickTest {
    private static final int REASON = 0;
    private static final int PAYLOAD = 2;
    private static final int TS_DEAD = 3;
    private static final int PRICE = 5;

    static Stream<Arguments> refusals() {
        return Stream.of(
                arguments("", "empty"),
                arguments("{\"symbol\":", "bad_json"),
                arguments("not json", "bad_json"),
                arguments("[1, 2]", "bad_json"),
                arguments("null", "bad_json"),
                arguments(Ticks.json(Ticks.good()) + "x", "bad_json"),
                arguments("{\"symbol\":\"A\",\"symbol\":\"B\"}", "bad_json"),
                arguments("[".repeat(100_000), "bad_json"),
                arguments(Ticks.with("price", "NaN"), "bad_json"),
                arguments(Ticks.with("price", "\"NaN\""), "bad_price"),
                arguments(Ticks.with("price", "168.9"), "bad_price"),
                arguments(Ticks.with("price", "\"0\""), "bad_price"),
                arguments(Ticks.with("price", "\"-1.5\""), "bad_price"),
                arguments(Ticks.with("price", "\"1.0000001\""), "bad_price"),
                arguments(Ticks.with("price", "\"1000000000000\""), "bad_price"),
                arguments(Ticks.with("price", "\"1e999999999\""), "bad_price"),
                arguments(Ticks.with("price", "\"1e-999999999\""), "bad_price"),
                arguments(Ticks.with("price", "{}"), "bad_price"),
                arguments(Ticks.with("previous_close", "\"x\""), "bad_price"),
                arguments(Ticks.with("price", "null"), "missing_field:price"),
                arguments(Ticks.with("ts_event", "1381152600"), "bad_time"),
                arguments(Ticks.with("ts_event", "1381152600000000"), "bad_time"),
                arguments(Ticks.with("ts_event", "\"2013-10-07\""), "bad_time"),
                arguments(Ticks.with("ts_recv", "1.5"), "bad_time"),
                arguments(Ticks.with("day_volume", "-1"), "bad_quantity"),
                arguments(Ticks.with("day_volume", "9223372036854775808"), "bad_quantity"),
                arguments(Ticks.with("size", "\"7\""), "bad_quantity"),
                arguments(Ticks.with("is_continuous", "1"), "bad_flag"),
                arguments(Ticks.with("symbol", "\"\""), "bad_text"),
                arguments(Ticks.with("symbol", "\"A\\u0000\""), "bad_text"),
                arguments(Ticks.with("symbol", "\"\\ud800\""), "bad_text"),
                arguments(Ticks.with("symbol", "\"" + "A".repeat(65) + "\""), "bad_text"),
                arguments(Ticks.with("session_phase", "\"lunch\""), "bad_session_phase"),
                arguments(Ticks.with("source", "\"rumour\""), "bad_source"));
    }

    @ParameterizedTest
    @MethodSource("refusals")
    void aBadMessageBecomesADeadLetterWithItsReasonAndBytes(String message, String reason) {
        RowData row = parse(message.getBytes(UTF_8), 0);

        assertEquals(reason, row.getString(REASON).toString());
        assertEquals(message, new String(Base64.getDecoder().decode(row.getString(PAYLOAD).toString()), UTF_8));
        assertEquals(Ticks.KAFKA_TS.toEpochMilli(), row.getLong(TS_DEAD));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "symbol", "price", "ts_event", "ts_recv", "session_phase", "currency", "source", "line", "line_seq", "tick_id",
        "is_suspect", "is_continuous"
    })
    void aMessageWithoutARequiredFieldNamesTheField(String field) {
        assertEquals("missing_field:" + field, parse(Ticks.without(field).getBytes(UTF_8), 0).getString(REASON).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"day_volume", "size", "previous_close"})
    void aMessageWithoutANullableFieldIsGood(String field) {
        assertTrue(parse(Ticks.without(field).getBytes(UTF_8), 0).isNullAt(REASON));
    }

    @Test
    void aTombstoneIsADeadLetterWithoutBytes() {
        RowData row = parse(null, 0);

        assertEquals("empty", row.getString(REASON).toString());
        assertEquals("", row.getString(PAYLOAD).toString());
    }

    @ParameterizedTest
    @MethodSource("prices")
    void aPriceIsExact(String text, long scaled) {
        RowData row = parse(Ticks.with("price", "\"" + text + "\"").getBytes(UTF_8), 0);

        assertEquals(scaled, row.getDecimal(PRICE, 18, 6).toUnscaledLong());
    }

    static Stream<Arguments> prices() {
        return Stream.of(
                arguments("168.9", 168_900_000L),
                arguments("168.900000000", 168_900_000L),
                arguments("0.000001", 1L),
                arguments("1e3", 1_000_000_000L),
                arguments("999999999999.999999", 999_999_999_999_999_999L));
    }

    @ParameterizedTest
    @MethodSource("limits")
    void aTickIsTooLateByKafkasClockAlone(long lateMs, String reason) {
        RowData row = parse(Ticks.json(Ticks.good()).getBytes(UTF_8), lateMs);

        assertEquals(reason, row.isNullAt(REASON) ? null : row.getString(REASON).toString());
    }

    static Stream<Arguments> limits() {
        return Stream.of(arguments(0L, null), arguments(1_000L, null), arguments(999L, "too_late"));
    }

    @Test
    void theLastPriceOfAClosedMarketIsNeverTooLate() {
        RowData row = parse(Ticks.with("session_phase", "\"closed\"").getBytes(UTF_8), 1);

        assertTrue(row.isNullAt(REASON));
    }

    @Test
    void randomDamageNeverThrows() {
        Random random = new Random(11);
        byte[] good = Ticks.json(Ticks.good()).getBytes(UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged = good.clone();
            for (int hit = 0; hit <= random.nextInt(4); hit++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            parse(damaged, 0);
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            assertTrue(!parse(noise, 0).isNullAt(REASON));
        }
    }

    private static RowData parse(byte[] payload, long lateMs) {
        List<RowData> rows = new ArrayList<>();
        ParseTick function = new ParseTick();
        function.setCollector(new Collector<>() {
            @Override
            public void collect(RowData row) {
                rows.add(row);
            }

            @Override
            public void close() {}
        });
        function.eval(payload, Ticks.KAFKA_TS, lateMs);
        assertEquals(1, rows.size());
        return rows.get(0);
    }
}
