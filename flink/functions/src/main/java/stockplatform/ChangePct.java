package stockplatform;

import java.math.BigDecimal;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.functions.ScalarFunction;

/** Percent from the previous close to the price: exact until one rounding to 6 digits; null where there is no answer. */
public final class ChangePct extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    public @DataTypeHint("DECIMAL(18, 6)") BigDecimal eval(
            @DataTypeHint("DECIMAL(18, 6)") BigDecimal price, @DataTypeHint("DECIMAL(18, 6)") BigDecimal previousClose) {
        return Price.changePct(price, previousClose);
    }
}
