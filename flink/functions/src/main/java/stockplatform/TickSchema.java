package stockplatform;

import java.util.List;
import org.apache.flink.api.common.serialization.DeserializationSchema;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.table.data.RowData;

/** What the tasks of a source carry of {@link TickFormatFactory}: each message becomes one row. */
final class TickSchema implements DeserializationSchema<RowData> {
    private static final long serialVersionUID = 1L;

    private final List<String> columns;
    private final TypeInformation<RowData> type;
    private transient TickReader reader;

    TickSchema(List<String> columns, TypeInformation<RowData> type) {
        this.columns = columns;
        this.type = type;
    }

    @Override
    public void open(InitializationContext context) {
        reader = new TickReader(columns);
    }

    @Override
    public RowData deserialize(byte[] message) {
        return reader.read(message);
    }

    @Override
    public boolean isEndOfStream(RowData row) {
        return false;
    }

    @Override
    public TypeInformation<RowData> getProducedType() {
        return type;
    }
}
