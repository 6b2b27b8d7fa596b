package stockplatform;

import java.nio.charset.StandardCharsets;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.io.JsonStringEncoder;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * A tick as a message of market.quotes.v1, as contracts/tick.py describes it; a test compares the two.
 *
 * <p>Written as text in one go: Flink's JSON format builds a tree of each message first, which was half of the job's work.
 */
public final class QuoteJson extends ScalarFunction {
    private static final long serialVersionUID = 1L;
    private static final int USUAL_LENGTH = 256;

    private transient StringBuilder json;

    @Override
    public void open(FunctionContext context) {
        json = new StringBuilder(USUAL_LENGTH);
    }

    /** Prices are DECIMAL(18, 6), instants epoch milliseconds. */
    public byte[] eval(
            String symbol, @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData price,
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData previousClose,
            Long dayVolume, String currency, String sessionPhase, Long tsEvent, Long tsRecv, String source) {
        json.setLength(0);
        text("symbol", symbol);
        price("price", price);
        price("previous_close", previousClose);
        price("change_pct", Price.changePct(price, previousClose));
        number("day_volume", dayVolume);
        text("currency", currency);
        text("session_phase", sessionPhase);
        number("ts_event", tsEvent);
        number("ts_recv", tsRecv);
        text("source", source);
        return json.append('}').toString().getBytes(StandardCharsets.UTF_8);
    }

    private void key(String name) {
        json.append(json.isEmpty() ? "{\"" : ",\"").append(name).append("\":");
    }

    private void text(String name, String value) {
        key(name);
        json.append('"');
        JsonStringEncoder.getInstance().quoteAsString(value, json);
        json.append('"');
    }

    private void price(String name, DecimalData value) {
        key(name);
        if (value == null) {
            json.append("null");
            return;
        }
        json.append('"');
        Price.append(value.toUnscaledLong(), json);
        json.append('"');
    }

    private void number(String name, Long value) {
        key(name);
        json.append(value); // null is written as null
    }
}
