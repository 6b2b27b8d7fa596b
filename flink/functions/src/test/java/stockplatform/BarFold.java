package stockplatform;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.table.data.DecimalData;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.TimestampData;

/**
 * Bars of ticks from standard input, for a test in another language: the ticks of each bar are shuffled, some of them
 * repeated, split anywhere over partial aggregates that are written and read, and merged in any order.
 *
 * <p>In: {@code bar,price,day_volume,ts_event,is_continuous,source,partition,offset}, an empty day volume for none. Out:
 * {@code bar,} and the aggregate's row, instants in epoch milliseconds. One argument: the seed.
 */
final class BarFold {
    private final BarAgg function = new BarAgg();
    private final BarStateSerializer serializer = new BarStateSerializer();
    private final Random random;

    private BarFold(long seed) {
        random = new Random(seed);
    }

    public static void main(String[] arguments) throws IOException {
        Map<String, List<String[]>> bars = new LinkedHashMap<>();
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            String[] tick = line.split(",", -1);
            bars.computeIfAbsent(tick[0], bar -> new ArrayList<>()).add(tick);
        }
        BarFold fold = new BarFold(Long.parseLong(arguments[0]));
        StringBuilder out = new StringBuilder();
        for (Map.Entry<String, List<String[]>> bar : bars.entrySet()) {
            out.append(bar.getKey());
            GenericRowData row = fold.fold(bar.getValue());
            for (int at = 0; at < row.getArity(); at++) {
                Object value = row.getField(at);
                out.append(',').append(value instanceof TimestampData time ? time.getMillisecond() : value);
            }
            out.append('\n');
        }
        System.out.print(out);
    }

    private GenericRowData fold(List<String[]> ticks) throws IOException {
        List<String[]> arrived = new ArrayList<>(ticks);
        for (int repeats = random.nextInt(ticks.size()); repeats > 0; repeats--) {
            arrived.add(ticks.get(random.nextInt(ticks.size())));
        }
        if (random.nextInt(4) > 0) {
            Collections.shuffle(arrived, random);
        }
        List<BarState> parts = new ArrayList<>();
        int longest = 1 + random.nextInt(arrived.size());
        for (int from = 0; from < arrived.size(); ) {
            int to = Math.min(arrived.size(), from + 1 + random.nextInt(longest));
            parts.add(partial(arrived.subList(from, to)));
            from = to;
        }
        Collections.shuffle(parts, random);
        return (GenericRowData) function.getValue(merged(parts));
    }

    private BarState partial(List<String[]> ticks) throws IOException {
        BarState bar = function.createAccumulator();
        for (String[] tick : ticks) {
            function.accumulate(
                    bar, DecimalData.fromUnscaledLong(Price.parse(tick[1]), Price.PRECISION, Price.SCALE),
                    tick[2].isEmpty() ? null : Long.valueOf(tick[2]), Long.valueOf(tick[3]), Boolean.valueOf(tick[4]), tick[5],
                    Long.valueOf(tick[6]), Long.valueOf(tick[7]));
        }
        return random.nextBoolean() ? rewritten(bar) : bar;
    }

    /** As a tree of merges of any shape. */
    private BarState merged(List<BarState> parts) throws IOException {
        BarState whole = function.createAccumulator();
        for (BarState part : parts) {
            if (random.nextInt(3) == 0) {
                BarState other = function.createAccumulator();
                function.merge(other, List.of(part, whole));
                whole = random.nextBoolean() ? rewritten(other) : serializer.copy(other);
            } else {
                function.merge(whole, List.of(part));
            }
        }
        return whole;
    }

    private BarState rewritten(BarState bar) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(bar, out);
        return serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    }
}
