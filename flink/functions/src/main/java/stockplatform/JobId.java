package stockplatform;

import org.apache.flink.table.functions.FunctionContext;
import org.apache.flink.table.functions.ScalarFunction;

/** Id of the running Flink job, which goes into each bar's passport. */
public final class JobId extends ScalarFunction {
    private static final long serialVersionUID = 1L;

    private transient String id;

    @Override
    public void open(FunctionContext context) {
        id = context.getMetricGroup().getAllVariables().getOrDefault("<job_id>", "unknown");
    }

    public String eval() {
        return id;
    }

    /** Else the planner would ask once, where no job runs yet. */
    @Override
    public boolean isDeterministic() {
        return false;
    }
}
