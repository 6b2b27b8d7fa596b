package stockplatform;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Writes the newest tick field by field, each behind a flag that says whether it is there. */
public final class QuoteStateSerializer extends StateSerializer<QuoteState> {
    private static final long serialVersionUID = 1L;

    @Override
    public void serialize(QuoteState state, DataOutputView out) throws IOException {
        writeLong(state.tsEvent, out);
        writeLong(state.dayVolume, out);
        writeLong(state.price, out);
        writeLong(state.tsRecv, out);
        writeLong(state.previousClose, out);
        writeText(state.source, out);
        writeText(state.sessionPhase, out);
        writeText(state.currency, out);
    }

    @Override
    public QuoteState deserialize(DataInputView in) throws IOException {
        QuoteState state = new QuoteState();
        state.tsEvent = readLong(in);
        state.dayVolume = readLong(in);
        state.price = readLong(in);
        state.tsRecv = readLong(in);
        state.previousClose = readLong(in);
        state.source = readText(in);
        state.sessionPhase = readText(in);
        state.currency = readText(in);
        return state;
    }

    private static void writeLong(Long value, DataOutputView out) throws IOException {
        out.writeBoolean(value != null);
        if (value != null) {
            out.writeLong(value);
        }
    }

    private static Long readLong(DataInputView in) throws IOException {
        return in.readBoolean() ? in.readLong() : null;
    }

    private static void writeText(String value, DataOutputView out) throws IOException {
        out.writeBoolean(value != null);
        if (value != null) {
            out.writeUTF(value);
        }
    }

    private static String readText(DataInputView in) throws IOException {
        return in.readBoolean() ? in.readUTF() : null;
    }

    @Override
    public QuoteState createInstance() {
        return new QuoteState();
    }

    @Override
    public QuoteState copy(QuoteState from) {
        QuoteState copy = new QuoteState();
        copy.keepNewer(from);
        return copy;
    }

    @Override
    public TypeSerializerSnapshot<QuoteState> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Finds this serializer again after a restart. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<QuoteState> {
        public Snapshot() {
            super((java.util.function.Supplier<TypeSerializer<QuoteState>>) QuoteStateSerializer::new);
        }
    }
}
