package stockplatform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.flink.table.data.DecimalData;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
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
