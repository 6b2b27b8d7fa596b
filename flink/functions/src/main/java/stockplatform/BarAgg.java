package stockplatform;

import java.math.BigDecimal;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.AggregateFunction;

/**
 * Ticks of one symbol and minute → the bar. Independent of the order of arrival, of repeats and of how the ticks are
 * split over partial aggregates, so the same SQL gives the same bytes in streaming and in batch, at any parallelism.
 */
@FunctionHint(
        input = {
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("BOOLEAN"),
            @DataTypeHint("STRING"),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("BIGINT")
        },
        accumulator = @DataTypeHint(value = "RAW", bridgedTo = BarState.class, rawSerializer = BarStateSerializer.class),
        output = @DataTypeHint(value = BarAgg.ROW, bridgedTo = RowData.class))
public final class BarAgg extends AggregateFunction<RowData, BarState> {
    static final String ROW = "ROW<`open` DECIMAL(18, 6), high DECIMAL(18, 6), low DECIMAL(18, 6), `close` DECIMAL(18, 6), "
            + "tick_count BIGINT, ts_first_tick TIMESTAMP(3), ts_last_tick TIMESTAMP(3), day_volume_first BIGINT, "
            + "day_volume_last BIGINT, price_first DECIMAL(18, 6), notional_inside DECIMAL(38, 6), source STRING, "
            + "kafka_partition BIGINT, kafka_offset_first BIGINT, kafka_offset_last BIGINT, is_continuous BOOLEAN>";
    private static final int NOTIONAL_PRECISION = 38;
    private static final long serialVersionUID = 1L;

    @Override
    public BarState createAccumulator() {
        return new BarState();
    }

    /** Called by generated code; see {@link BarState#add} and {@link BarState#trace}. */
    public void accumulate(
            BarState bar, DecimalData price, Long dayVolume, Long tsEvent, Boolean isContinuous, String source,
            Long partition, Long offset) {
        bar.add(dayVolume == null ? BarState.NO_VOLUME : dayVolume, tsEvent, price.toUnscaledLong(), isContinuous);
        bar.trace(source, partition, offset, offset);
    }

    /** Called by generated code for two-phase aggregation. */
    public void merge(BarState bar, Iterable<BarState> parts) {
        parts.forEach(bar::merge);
    }

    @Override
    public RowData getValue(BarState bar) {
        return bar.size == 0 ? null : row(bar);
    }

    private static RowData row(BarState bar) {
        Extent extent = bar.extent;
        int sized = bar.unsizedCount();
        boolean hasVolume = sized < bar.size;
        return GenericRowData.of(
                price(extent.firstPrice),
                price(extent.high),
                price(extent.low),
                price(extent.lastPrice),
                (long) bar.size,
                TimestampData.fromEpochMillis(extent.firstEvent),
                TimestampData.fromEpochMillis(extent.lastEvent),
                hasVolume ? bar.dayVolumes[sized] : null,
                hasVolume ? bar.dayVolumes[bar.size - 1] : null,
                hasVolume ? price(bar.prices[sized]) : null,
                hasVolume ? notional(bar.notional) : null,
                StringData.fromString(bar.source),
                bar.partition,
                bar.offsetFirst,
                bar.offsetLast,
                bar.isContinuous);
    }

    private static DecimalData price(long scaled) {
        return DecimalData.fromUnscaledLong(scaled, Price.PRECISION, Price.SCALE);
    }

    /** At most 1e18 x 2^63, so it fits. */
    private static DecimalData notional(ExactSum sum) {
        return DecimalData.fromBigDecimal(new BigDecimal(sum.value(), Price.SCALE), NOTIONAL_PRECISION, Price.SCALE);
    }
}
