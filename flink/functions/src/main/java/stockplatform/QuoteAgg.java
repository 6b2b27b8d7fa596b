package stockplatform;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;
import org.apache.flink.table.data.TimestampData;
import org.apache.flink.table.functions.AggregateFunction;

/** Ticks of one symbol → the newest of them, in any order of arrival. */
@FunctionHint(
        input = {
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class),
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("STRING"),
            @DataTypeHint("STRING"),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("BIGINT"),
            @DataTypeHint("STRING")
        },
        accumulator = @DataTypeHint(value = "RAW", bridgedTo = QuoteState.class, rawSerializer = QuoteStateSerializer.class),
        output = @DataTypeHint(value = QuoteAgg.ROW, bridgedTo = RowData.class))
public final class QuoteAgg extends AggregateFunction<RowData, QuoteState> {
    static final String ROW = "ROW<price DECIMAL(18, 6), previous_close DECIMAL(18, 6), day_volume BIGINT, currency STRING, "
            + "session_phase STRING, ts_event TIMESTAMP(3), ts_recv TIMESTAMP(3), source STRING>";
    private static final long serialVersionUID = 1L;

    @Override
    public QuoteState createAccumulator() {
        return new QuoteState();
    }

    /** Called by generated code. */
    public void accumulate(
            QuoteState newest, DecimalData price, DecimalData previousClose, Long dayVolume, String currency,
            String sessionPhase, Long tsEvent, Long tsRecv, String source) {
        if (newest.tsEvent != null && tsEvent < newest.tsEvent) {
            return;
        }
        QuoteState tick = new QuoteState();
        tick.price = price.toUnscaledLong();
        tick.previousClose = previousClose == null ? null : previousClose.toUnscaledLong();
        tick.dayVolume = dayVolume;
        tick.currency = currency;
        tick.sessionPhase = sessionPhase;
        tick.tsEvent = tsEvent;
        tick.tsRecv = tsRecv;
        tick.source = source;
        newest.keepNewer(tick);
    }

    /** Called by generated code for two-phase aggregation. */
    public void merge(QuoteState newest, Iterable<QuoteState> parts) {
        parts.forEach(newest::keepNewer);
    }

    @Override
    public RowData getValue(QuoteState newest) {
        if (newest.tsEvent == null) {
            return null;
        }
        return GenericRowData.of(
                decimal(newest.price),
                decimal(newest.previousClose),
                newest.dayVolume,
                StringData.fromString(newest.currency),
                StringData.fromString(newest.sessionPhase),
                TimestampData.fromEpochMillis(newest.tsEvent),
                TimestampData.fromEpochMillis(newest.tsRecv),
                StringData.fromString(newest.source));
    }

    private static DecimalData decimal(Long scaled) {
        return scaled == null ? null : DecimalData.fromUnscaledLong(scaled, Price.PRECISION, Price.SCALE);
    }
}
