package stockplatform;

import java.time.Instant;
import org.apache.flink.table.functions.ScalarFunction;

/** An instant as milliseconds since 1970: SQL has only seconds. */
public final class EpochMs extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    public Long eval(Instant instant) {
        return instant == null ? null : instant.toEpochMilli();
    }
}
