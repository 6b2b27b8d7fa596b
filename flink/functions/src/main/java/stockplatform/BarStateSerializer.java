package stockplatform;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputView;
import org.apache.flink.core.memory.DataOutputView;

/** Writes a bar's ticks as differences in variable length: some 6 bytes a tick instead of 24. */
public final class BarStateSerializer extends StateSerializer<BarState> {
    private static final long serialVersionUID = 1L;

    @Override
    public void serialize(BarState state, DataOutputView out) throws IOException {
        out.writeBoolean(state.isContinuous);
        out.writeBoolean(state.source != null);
        if (state.source != null) {
            out.writeUTF(state.source);
        }
        out.writeLong(state.partition);
        out.writeLong(state.offsetFirst);
        out.writeLong(state.offsetLast);
        out.writeInt(state.size);
        for (long[] column : columns(state)) {
            writeDifferences(column, state.size, out);
        }
    }

    @Override
    public BarState deserialize(DataInputView in) throws IOException {
        boolean isContinuous = in.readBoolean();
        String source = in.readBoolean() ? in.readUTF() : null;
        long partition = in.readLong();
        long offsetFirst = in.readLong();
        long offsetLast = in.readLong();
        int size = in.readInt();
        BarState state = new BarState(Math.max(size, 1));
        state.trace(source, partition, offsetFirst, offsetLast);
        state.isContinuous = isContinuous;
        state.size = size;
        for (long[] column : columns(state)) {
            readDifferences(column, size, in);
        }
        state.recount();
        return state;
    }

    private static long[][] columns(BarState state) {
        return new long[][] {state.dayVolumes, state.events, state.prices};
    }

    private static void writeDifferences(long[] column, int size, DataOutputView out) throws IOException {
        long before = 0;
        for (int i = 0; i < size; i++) {
            long difference = column[i] - before;
            writeVarint(difference << 1 ^ difference >> 63, out);
            before = column[i];
        }
    }

    private static void readDifferences(long[] column, int size, DataInputView in) throws IOException {
        long before = 0;
        for (int i = 0; i < size; i++) {
            long folded = readVarint(in);
            before += folded >>> 1 ^ -(folded & 1);
            column[i] = before;
        }
    }

    private static void writeVarint(long value, DataOutputView out) throws IOException {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.writeByte((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.writeByte((int) rest);
    }

    private static long readVarint(DataInputView in) throws IOException {
        long value = 0;
        for (int shift = 0; ; shift += 7) {
            byte next = in.readByte();
            value |= (next & 0x7FL) << shift;
            if (next >= 0) {
                return value;
            }
        }
    }

    @Override
    public BarState createInstance() {
        return new BarState();
    }

    @Override
    public BarState copy(BarState from) {
        return from.copy();
    }

    @Override
    public TypeSerializerSnapshot<BarState> snapshotConfiguration() {
        return new Snapshot();
    }

    /** Finds this serializer again after a restart. */
    public static final class Snapshot extends SimpleTypeSerializerSnapshot<BarState> {
        public Snapshot() {
            super((java.util.function.Supplier<TypeSerializer<BarState>>) BarStateSerializer::new);
        }
    }
}
