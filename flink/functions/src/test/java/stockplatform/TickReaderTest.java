package stockplatform;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class TickReaderTest {
    private static final List<String> COLUMNS = List.of("reason", "detail", "payload", "symbol", "price", "day_volume", "is_continuous");
    private static final int REASON = 0;
    private static final int DETAIL = 1;
    private static final int PAYLOAD = 2;
    private static final int PRICE = 4;

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
        RowData row = parse(message.getBytes(UTF_8));

        assertEquals(reason, row.getString(REASON).toString());
        assertEquals(message, new String(row.getBinary(PAYLOAD), UTF_8));
        assertTrue(row.isNullAt(PRICE));
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "symbol", "price", "ts_event", "ts_recv", "session_phase", "currency", "source", "line", "line_seq", "tick_id",
        "is_suspect", "is_continuous"
    })
    void aMessageWithoutARequiredFieldNamesTheField(String field) {
        assertEquals("missing_field:" + field, parse(Ticks.without(field).getBytes(UTF_8)).getString(REASON).toString());
    }

    @ParameterizedTest
    @ValueSource(strings = {"day_volume", "size", "previous_close"})
    void aMessageWithoutANullableFieldIsGood(String field) {
        assertTrue(parse(Ticks.without(field).getBytes(UTF_8)).isNullAt(REASON));
    }

    @Test
    void aGoodTickHasItsFieldsAndNoReason() {
        RowData row = parse(Ticks.json(Ticks.good()).getBytes(UTF_8));

        assertEquals("+I(null,null", row.toString().substring(0, 12));
        assertEquals("SPY", row.getString(3).toString());
        assertEquals(1200, row.getLong(5));
        assertTrue(row.getBoolean(6));
    }

    @Test
    void ofSeveralFaultsTheFirstFieldsIsNamed() {
        Map<String, String> fields = Ticks.good();
        fields.put("is_continuous", "1");
        fields.put("day_volume", "{\"a\": [1]}");
        fields.remove("currency");

        RowData row = parse(Ticks.json(fields).getBytes(UTF_8));

        assertEquals("bad_quantity", row.getString(REASON).toString());
        assertEquals("day_volume: expected a 64-bit integer >= 0, found an object", row.getString(DETAIL).toString());
    }

    @Test
    void aFieldThatNobodyKnowsIsPassedOver() {
        assertTrue(parse(Ticks.with("venue", "{\"mic\": [1, {}]}").getBytes(UTF_8)).isNullAt(REASON));
    }

    @Test
    void aTombstoneIsADeadLetterWithoutBytes() {
        RowData row = parse(null);

        assertEquals("empty", row.getString(REASON).toString());
        assertEquals(0, row.getBinary(PAYLOAD).length);
    }

    @ParameterizedTest
    @MethodSource("prices")
    void aPriceIsExact(String text, long scaled) {
        RowData row = parse(Ticks.with("price", "\"" + text + "\"").getBytes(UTF_8));

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

    @Test
    void randomDamageNeverThrows() {
        Random random = new Random(11);
        byte[] good = Ticks.json(Ticks.good()).getBytes(UTF_8);
        for (int i = 0; i < 20_000; i++) {
            byte[] damaged = good.clone();
            for (int hit = 0; hit <= random.nextInt(4); hit++) {
                damaged[random.nextInt(damaged.length)] = (byte) random.nextInt(256);
            }
            parse(damaged);
            byte[] noise = new byte[random.nextInt(40)];
            random.nextBytes(noise);
            assertTrue(!parse(noise).isNullAt(REASON));
        }
    }

    private static RowData parse(byte[] payload) {
        return new TickReader(COLUMNS).read(payload);
    }
}
