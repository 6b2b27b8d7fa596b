package stockplatform;

import java.util.Arrays;

/**
 * Distinct ticks of one bar, sorted by (day volume, event time, price); the same whatever the order of arrival.
 *
 * <p>A tick without day volume is kept with {@link #NO_VOLUME}, below all others. Prices are scaled, see {@link Price}.
 */
public final class BarState {
    static final long NO_VOLUME = -1;
    private static final int FIRST_CAPACITY = 8;

    int size;
    long[] dayVolumes;
    long[] events;
    long[] prices;
    /** Flag of the lowest tick. Enough, because the lowest tick is only ever replaced by a lower one. */
    boolean isContinuous;
    String source;
    long partition = Long.MAX_VALUE;
    long offsetFirst = Long.MAX_VALUE;
    long offsetLast = Long.MIN_VALUE;

    public BarState() {
        this(FIRST_CAPACITY);
    }

    BarState(int capacity) {
        dayVolumes = new long[capacity];
        events = new long[capacity];
        prices = new long[capacity];
    }

    /** Add a tick; a repeat changes nothing but may assert continuity. */
    void add(long dayVolume, long event, long price, boolean continuous) {
        int found = find(dayVolume, event, price);
        int at = found < 0 ? -found - 1 : found;
        if (found < 0) {
            open(at);
            dayVolumes[at] = dayVolume;
            events[at] = event;
            prices[at] = price;
        }
        if (at == 0) {
            isContinuous = continuous || found == 0 && isContinuous;
        }
    }

    /** Remember where ticks came from, repeats included: else the offsets would depend on the order of arrival. */
    void trace(String from, long kafkaPartition, long first, long last) {
        source = source == null || from != null && from.compareTo(source) < 0 ? from : source;
        partition = Math.min(partition, kafkaPartition);
        offsetFirst = Math.min(offsetFirst, first);
        offsetLast = Math.max(offsetLast, last);
    }

    /** Add all that another part of the same bar has seen. Its lowest tick goes first, so only that one's flag can count. */
    void merge(BarState other) {
        for (int i = 0; i < other.size; i++) {
            add(other.dayVolumes[i], other.events[i], other.prices[i], other.isContinuous);
        }
        trace(other.source, other.partition, other.offsetFirst, other.offsetLast);
    }

    BarState copy() {
        BarState copy = new BarState(Math.max(size, 1));
        System.arraycopy(dayVolumes, 0, copy.dayVolumes, 0, size);
        System.arraycopy(events, 0, copy.events, 0, size);
        System.arraycopy(prices, 0, copy.prices, 0, size);
        copy.size = size;
        copy.isContinuous = isContinuous;
        copy.trace(source, partition, offsetFirst, offsetLast);
        return copy;
    }

    /** Position of the tick, or -(where it belongs) - 1. */
    private int find(long dayVolume, long event, long price) {
        int low = 0;
        int high = size - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int order = compare(middle, dayVolume, event, price);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -low - 1;
    }

    private int compare(int at, long dayVolume, long event, long price) {
        int byVolume = Long.compare(dayVolumes[at], dayVolume);
        int byEvent = byVolume != 0 ? byVolume : Long.compare(events[at], event);
        return byEvent != 0 ? byEvent : Long.compare(prices[at], price);
    }

    private void open(int at) {
        if (size == dayVolumes.length) {
            dayVolumes = Arrays.copyOf(dayVolumes, 2 * size);
            events = Arrays.copyOf(events, 2 * size);
            prices = Arrays.copyOf(prices, 2 * size);
        }
        for (long[] column : new long[][] {dayVolumes, events, prices}) {
            System.arraycopy(column, at, column, at + 1, size - at);
        }
        size++;
    }
}
