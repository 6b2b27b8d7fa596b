package stockplatform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.flink.table.data.DecimalData;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class QuoteAggTest {
    private final QuoteAgg function = new QuoteAgg();

    @RepeatedTest(50)
    void theNewestTickWinsInAnyOrderAndSplit(RepetitionInfo run) {
        Random random = new Random(run.getCurrentRepetition());
        List<QuoteState> ticks = new ArrayList<>();
        for (int i = 0; i < 60; i++) {
            ticks.add(tick(random.nextInt(4), random.nextInt(4) == 0 ? null : (long) random.nextInt(3), 1 + random.nextInt(3),
                    random.nextInt(3)));
        }
        QuoteState forward = function.createAccumulator();
        function.merge(forward, ticks);
        Collections.shuffle(ticks, random);
        QuoteState left = function.createAccumulator();
        QuoteState right = function.createAccumulator();
        function.merge(left, ticks.subList(0, 30));
        function.merge(right, ticks.subList(30, 60));
        function.merge(left, List.of(right));

        assertEquals(function.getValue(forward), function.getValue(left));
        assertEquals(ticks.stream().mapToLong(tick -> tick.tsEvent).max().orElseThrow(), left.tsEvent);
    }

    @ParameterizedTest
    @CsvSource({"168.9, 167.43, 0.877979", "100, 100, 0.000000", "1, 3, -66.666667", "999999999999, 0.000001,", "5, ,"})
    void changeIsRoundedOnce(BigDecimal price, BigDecimal previous, BigDecimal expected) {
        assertEquals(decimal(expected), new ChangePct().eval(decimal(price), decimal(previous)));
    }

    @Test
    void changeIsExactForAnyPrices() {
        Random random = new Random(3);
        for (int i = 0; i < 20_000; i++) {
            BigDecimal price = BigDecimal.valueOf(1 + random.nextLong(10L << random.nextInt(50)), 6);
            BigDecimal previous = BigDecimal.valueOf(1 + random.nextLong(10L << random.nextInt(50)), 6);
            BigDecimal exact = price.subtract(previous).movePointRight(2).divide(previous, 6, RoundingMode.HALF_UP);

            assertEquals(exact.precision() > 18 ? null : decimal(exact), new ChangePct().eval(decimal(price), decimal(previous)));
        }
    }

    @Test
    void aQuoteIsWrittenAsTheContractSays() {
        QuoteJson function = new QuoteJson();
        function.open(null);

        byte[] first = function.eval("BRK\"B\\", decimal(new BigDecimal("0.05")), decimal(new BigDecimal("100")), 12L, "USD", "regular", 5L, 6L, "tape");
        byte[] second = function.eval("SPY", decimal(new BigDecimal("168.9")), null, null, "USD", "post", 7L, 8L, "yahoo");

        assertEquals("{\"symbol\":\"BRK\\\"B\\\\\",\"price\":\"0.050000\",\"previous_close\":\"100.000000\",\"change_pct\":\"-99.950000\","
                + "\"day_volume\":12,\"currency\":\"USD\",\"session_phase\":\"regular\",\"ts_event\":5,\"ts_recv\":6,\"source\":\"tape\"}",
                new String(first, StandardCharsets.UTF_8));
        assertEquals("{\"symbol\":\"SPY\",\"price\":\"168.900000\",\"previous_close\":null,\"change_pct\":null,\"day_volume\":null,"
                + "\"currency\":\"USD\",\"session_phase\":\"post\",\"ts_event\":7,\"ts_recv\":8,\"source\":\"yahoo\"}",
                new String(second, StandardCharsets.UTF_8));
    }

    private static DecimalData decimal(BigDecimal value) {
        return value == null ? null : DecimalData.fromBigDecimal(value, 18, 6);
    }

    private QuoteState tick(long event, Long dayVolume, long price, long received) {
        QuoteState state = function.createAccumulator();
        function.accumulate(state, DecimalData.fromUnscaledLong(price, 18, 6), null, dayVolume, "USD", "regular", event,
                received, "tape");
        return state;
    }
}
