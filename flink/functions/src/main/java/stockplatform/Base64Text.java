package stockplatform;

import java.util.Base64;
import org.apache.flink.table.functions.ScalarFunction;

/** Bytes as Base64 text: SQL's own function takes text, and rubbish is none. */
public final class Base64Text extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    public String eval(byte[] bytes) {
        return bytes == null ? null : Base64.getEncoder().encodeToString(bytes);
    }
}
