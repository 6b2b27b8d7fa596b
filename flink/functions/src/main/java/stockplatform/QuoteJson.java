package stockplatform;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonGenerator;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.functions.ScalarFunction;

/**
 * A tick as a message of market.quotes.v1, as contracts/tick.py describes it; a test compares the two.
 *
 * <p>Written in one go: Flink's JSON format builds a tree of each message first, which is half of the job's work.
 */
public final class QuoteJson extends ScalarFunction {
    private static final long serialVersionUID = 1L;
    private static final int USUAL_SIZE = 256;

    private transient JsonFactory json;
    private transient ByteArrayOutputStream buffer;

    /** Prices are DECIMAL(18, 6), instants epoch milliseconds. */
    public byte[] eval(
            String symbol, @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData price,
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData previousClose,
            Long dayVolume, String currency, String sessionPhase, Long tsEvent, Long tsRecv, String source) {
        if (json == null) {
            json = new JsonFactory();
            buffer = new ByteArrayOutputStream(USUAL_SIZE);
        }
        buffer.reset();
        try (JsonGenerator out = json.createGenerator(buffer)) {
            out.writeStartObject();
            out.writeStringField("symbol", symbol);
            writePrice(out, "price", price);
            writePrice(out, "previous_close", previousClose);
            writePrice(out, "change_pct", Price.changePct(price, previousClose));
            writeNumber(out, "day_volume", dayVolume);
            out.writeStringField("currency", currency);
            out.writeStringField("session_phase", sessionPhase);
            writeNumber(out, "ts_event", tsEvent);
            writeNumber(out, "ts_recv", tsRecv);
            out.writeStringField("source", source);
            out.writeEndObject();
        } catch (IOException impossible) { // into memory
            throw new UncheckedIOException(impossible);
        }
        return buffer.toByteArray();
    }

    private static void writePrice(JsonGenerator out, String key, DecimalData value) throws IOException {
        out.writeStringField(key, value == null ? null : value.toString());
    }

    private static void writeNumber(JsonGenerator out, String key, Long value) throws IOException {
        out.writeFieldName(key);
        if (value == null) {
            out.writeNull();
        } else {
            out.writeNumber(value.longValue());
        }
    }
}
