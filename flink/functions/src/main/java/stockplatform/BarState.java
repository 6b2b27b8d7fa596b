package stockplatform;

import java.util.Arrays;

/**
 * Distinct ticks of one bar, sorted by (day volume, event time, price); the same whatever the order of arrival.
 *
 * <p>A tick without day volume is kept with {@link #NO_VOLUME}, below all others. Prices are scaled, see {@link Price}.
 * What a bar says of all its ticks is kept up to date beside them, so that one of 20,000 ticks is read as fast as one of 20.
 */
public final class BarState {
    static final long NO_VOLUME = -1;
    private static final int FIRST_CAPACITY = 4;

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
    final Extent extent = new Extent();
    /** Sum of price x rise of the day volume since the tick before, over the ticks that have one with volume before them. */
    final ExactSum notional = new ExactSum();

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
            forgetSteps(at, Math.min(at + 1, size));
            open(at);
            put(at, dayVolume, event, price);
            countSteps(at, Math.min(at + 2, size));
            extent.take(dayVolume, event, price);
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

    /** Add all that another part of the same bar has seen; costs what lies above the other's lowest tick, and no more. */
    void merge(BarState other) {
        if (other.size > 0) {
            int found = find(other.dayVolumes[0], other.events[0], other.prices[0]);
            int from = found < 0 ? -found - 1 : found;
            if (from == 0) {
                isContinuous = other.isContinuous || found == 0 && isContinuous;
            }
            forgetSteps(from, size);
            mergeTail(from, other);
            countSteps(from, size);
            extent.take(other.extent);
        }
        trace(other.source, other.partition, other.offsetFirst, other.offsetLast);
    }

    /** How many ticks have no volume; they are the lowest. */
    int unsizedCount() {
        int from = find(0, Long.MIN_VALUE, Long.MIN_VALUE);
        return from < 0 ? -from - 1 : from;
    }

    BarState copy() {
        BarState copy = new BarState(Math.max(size, 1));
        copy.append(this, 0);
        copy.isContinuous = isContinuous;
        copy.extent.take(extent);
        copy.notional.set(notional);
        copy.trace(source, partition, offsetFirst, offsetLast);
        return copy;
    }

    /** Work out what is kept beside the ticks, after they were read. */
    void recount() {
        for (int i = 0; i < size; i++) {
            extent.take(dayVolumes[i], events[i], prices[i]);
        }
        countSteps(0, size);
    }

    private void mergeTail(int from, BarState other) {
        int tailSize = size - from;
        BarState tail = new BarState(tailSize);
        tail.append(this, from);
        size = from;
        int mine = 0;
        int theirs = 0;
        while (mine < tailSize) {
            int order = theirs == other.size ? -1 : -other.compare(theirs, tail.dayVolumes[mine], tail.events[mine], tail.prices[mine]);
            BarState lower = order <= 0 ? tail : other;
            int at = order <= 0 ? mine : theirs;
            reserve(1);
            put(size++, lower.dayVolumes[at], lower.events[at], lower.prices[at]);
            mine += order <= 0 ? 1 : 0;
            theirs += order >= 0 ? 1 : 0;
        }
        append(other, theirs);
    }

    private void append(BarState other, int from) {
        int count = other.size - from;
        reserve(count);
        System.arraycopy(other.dayVolumes, from, dayVolumes, size, count);
        System.arraycopy(other.events, from, events, size, count);
        System.arraycopy(other.prices, from, prices, size, count);
        size += count;
    }

    private void countSteps(int from, int to) {
        for (int i = Math.max(from, 1); i < to; i++) {
            if (dayVolumes[i - 1] != NO_VOLUME) {
                notional.addProduct(prices[i], dayVolumes[i] - dayVolumes[i - 1]);
            }
        }
    }

    private void forgetSteps(int from, int to) {
        for (int i = Math.max(from, 1); i < to; i++) {
            if (dayVolumes[i - 1] != NO_VOLUME) {
                notional.subtractProduct(prices[i], dayVolumes[i] - dayVolumes[i - 1]);
            }
        }
    }

    /** Position of the tick, or -(where it belongs) - 1. */
    private int find(long dayVolume, long event, long price) {
        if (size == 0 || compare(size - 1, dayVolume, event, price) < 0) {
            return -size - 1;
        }
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

    private void put(int at, long dayVolume, long event, long price) {
        dayVolumes[at] = dayVolume;
        events[at] = event;
        prices[at] = price;
    }

    private void open(int at) {
        reserve(1);
        System.arraycopy(dayVolumes, at, dayVolumes, at + 1, size - at);
        System.arraycopy(events, at, events, at + 1, size - at);
        System.arraycopy(prices, at, prices, at + 1, size - at);
        size++;
    }

    private void reserve(int count) {
        if (size + count > dayVolumes.length) {
            int capacity = Math.max(size + count, size + (size >> 1));
            dayVolumes = Arrays.copyOf(dayVolumes, capacity);
            events = Arrays.copyOf(events, capacity);
            prices = Arrays.copyOf(prices, capacity);
        }
    }
}
