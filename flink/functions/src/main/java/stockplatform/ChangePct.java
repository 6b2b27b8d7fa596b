package stockplatform;

import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.functions.ScalarFunction;

/** Percent change from the previous close; see {@link Price#changePct}. */
public final class ChangePct extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class)
    public DecimalData eval(
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData price,
            @DataTypeHint(value = "DECIMAL(18, 6)", bridgedTo = DecimalData.class) DecimalData previous) {
        return Price.changePct(price, previous);
    }
}
