package stockplatform;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BarAggTest {
    private record Tick(Long dayVolume, long event, long price, boolean isContinuous, String source, long partition, long offset) {}

    private final BarAgg function = new BarAgg();

    @Test
    void aBarOfFourTicksIsAsComputedByHand() {
        RowData bar = value(add(List.of(
                new Tick(100L, 10, 5_000_000, true, "tape", 2, 50),
                new Tick(130L, 20, 7_000_000, false, "tape", 2, 51),
                new Tick(170L, 20, 4_000_000, false, "simulator", 2, 49),
                new Tick(180L, 40, 6_500_000, false, "tape", 2, 52),
                new Tick(180L, 40, 6_500_000, true, "tape", 2, 60))));

        // 7 x 30 + 4 x 40 + 6.5 x 10 = 435
        assertEquals("+I(5.000000,7.000000,4.000000,6.500000,4,1970-01-01T00:00:00.010,1970-01-01T00:00:00.040,"
                + "100,180,5.000000,435.000000,simulator,2,49,60,true)", bar.toString());
    }

    @Test
    void openAndCloseFollowEventTimeNotVolume() {
        RowData bar = value(add(List.of(tick(300L, 5, 1_000_000), tick(100L, 9, 2_000_000), tick(200L, 9, 3_000_000))));

        assertEquals(1_000_000, price(bar, 0));
        assertEquals(3_000_000, price(bar, 3));
        assertEquals(2_000_000, price(bar, 9));
    }

    @Test
    void aBarWithoutVolumesHasNoneButPrices() {
        RowData bar = value(add(List.of(tick(null, 5, 1_000_000), tick(null, 6, 2_000_000))));

        assertEquals(2, bar.getLong(4));
        for (int field : new int[] {7, 8, 9, 10}) {
            assertTrue(bar.isNullAt(field));
        }
    }

    @Test
    void aTickWithoutVolumeAmongOthersLeavesTheVolumesAlone() {
        RowData bar = value(add(List.of(tick(null, 5, 1_000_000), tick(10L, 6, 2_000_000), tick(12L, 7, 3_000_000))));

        assertEquals(10, bar.getLong(7));
        assertEquals(2_000_000, price(bar, 9));
        assertEquals("6.000000", bar.getDecimal(10, 38, 6).toString());
    }

    @Test
    void theGreatestNotionalIsExact() {
        RowData bar = value(add(List.of(tick(0L, 5, 1), tick(Long.MAX_VALUE, 6, 999_999_999_999_999_999L))));

        BigInteger expected = BigInteger.valueOf(Long.MAX_VALUE).multiply(BigInteger.valueOf(999_999_999_999_999_999L));
        assertEquals(expected, bar.getDecimal(10, 38, 6).toBigDecimal().unscaledValue());
    }

    @RepeatedTest(20)
    void aSumOfLargeProductsIsExact(RepetitionInfo run) {
        Random random = new Random(run.getCurrentRepetition());
        ExactSum sum = new ExactSum();
        BigInteger expected = BigInteger.ZERO;
        long[] volumes = new long[8];
        for (int i = 0; i < 8; i++) {
            long price = random.nextLong(1_000_000_000_000_000_000L);
            long volume = random.nextLong(Long.MAX_VALUE);
            sum.addProduct(price, volume);
            expected = expected.add(BigInteger.valueOf(price).multiply(BigInteger.valueOf(volume)));
            sum.addProduct(volume, i);
            volumes[i] = volume;
        }
        for (int i = 0; i < 8; i++) {
            sum.subtractProduct(volumes[i], i);
        }
        assertEquals(expected, sum.value());
    }

    @Test
    void continuityIsThatOfTheLowestTickAndARepeatCanAssertIt() {
        Tick lowest = new Tick(1L, 1, 1_000_000, false, "tape", 0, 0);
        Tick other = new Tick(2L, 2, 1_000_000, true, "tape", 0, 1);

        assertFalse(value(add(List.of(other, lowest))).getBoolean(15));
        assertTrue(value(add(List.of(lowest, other, new Tick(1L, 1, 1_000_000, true, "tape", 0, 2)))).getBoolean(15));
    }

    @Test
    void anEmptyBarIsNoRow() {
        assertNull(value(function.createAccumulator()));
    }

    /** Any order, any repeats, any split over partial aggregates, written and read in between: one and the same row. */
    @RepeatedTest(200)
    void anySplitGivesTheSameRow(RepetitionInfo run) throws IOException {
        Random random = new Random(run.getCurrentRepetition());
        List<Tick> ticks = randomTicks(random);
        RowData expected = value(add(ticks));
        Collections.shuffle(ticks, random);

        List<BarState> parts = new ArrayList<>();
        for (int from = 0; from < ticks.size(); ) {
            int to = Math.min(ticks.size(), from + 1 + random.nextInt(20));
            parts.add(random.nextBoolean() ? rewritten(add(ticks.subList(from, to))) : add(ticks.subList(from, to)).copy());
            from = to;
        }
        BarState whole = function.createAccumulator();
        Collections.shuffle(parts, random);
        function.merge(whole, parts);

        assertEquals(expected, value(rewritten(whole)));
    }

    @Test
    void aCopyIsIndependent() {
        BarState original = add(List.of(tick(1L, 1, 1_000_000)));
        RowData before = value(original);

        BarState copy = new BarStateSerializer().copy(original);
        copy.add(0, 0, 9_000_000, true);

        assertEquals(before, value(original));
    }

    private static List<Tick> randomTicks(Random random) {
        List<Tick> ticks = new ArrayList<>();
        int count = 1 + random.nextInt(120);
        for (int i = 0; i < count; i++) {
            // Few distinct values, so that ties in each part of the order happen.
            Long dayVolume = random.nextInt(10) == 0 ? null : (long) random.nextInt(40);
            ticks.add(new Tick(dayVolume, random.nextInt(30), 1 + random.nextInt(5), random.nextBoolean(),
                    random.nextBoolean() ? "tape" : "simulator", random.nextInt(3), random.nextInt(1_000)));
        }
        for (int i = random.nextInt(count); i > 0; i--) {
            ticks.add(ticks.get(random.nextInt(count)));
        }
        return ticks;
    }

    private static Tick tick(Long dayVolume, long event, long price) {
        return new Tick(dayVolume, event, price, true, "tape", 0, 0);
    }

    private BarState add(List<Tick> ticks) {
        BarState bar = function.createAccumulator();
        for (Tick tick : ticks) {
            function.accumulate(bar, DecimalData.fromUnscaledLong(tick.price, 18, 6), tick.dayVolume, tick.event,
                    tick.isContinuous, tick.source, tick.partition, tick.offset);
        }
        return bar;
    }

    private static BarState rewritten(BarState state) throws IOException {
        BarStateSerializer serializer = new BarStateSerializer();
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(state, out);
        DataInputDeserializer in = new DataInputDeserializer(out.getCopyOfBuffer());
        BarState read = serializer.deserialize(in);
        assertEquals(0, in.available());
        return read;
    }

    private RowData value(BarState bar) {
        return (GenericRowData) function.getValue(bar);
    }

    private static long price(RowData bar, int field) {
        return bar.getDecimal(field, 18, 6).toUnscaledLong();
    }
}
