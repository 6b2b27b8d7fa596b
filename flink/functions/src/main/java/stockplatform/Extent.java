package stockplatform;

/** What a bar says of its ticks' prices: first, last, highest, lowest. Only ever widened, so the order of arrival is no matter. */
final class Extent {
    private boolean isEmpty = true;
    private long firstVolume;
    private long lastVolume;
    long firstEvent;
    long firstPrice;
    long lastEvent;
    long lastPrice;
    long high;
    long low;

    /** First and last are by (event time, day volume, price). */
    void take(long dayVolume, long event, long price) {
        if (isEmpty || compare(event, dayVolume, price, firstEvent, firstVolume, firstPrice) < 0) {
            firstEvent = event;
            firstVolume = dayVolume;
            firstPrice = price;
        }
        if (isEmpty || compare(event, dayVolume, price, lastEvent, lastVolume, lastPrice) > 0) {
            lastEvent = event;
            lastVolume = dayVolume;
            lastPrice = price;
        }
        high = isEmpty ? price : Math.max(high, price);
        low = isEmpty ? price : Math.min(low, price);
        isEmpty = false;
    }

    void take(Extent other) {
        if (!other.isEmpty) {
            take(other.firstVolume, other.firstEvent, other.firstPrice);
            take(other.lastVolume, other.lastEvent, other.lastPrice);
            high = Math.max(high, other.high);
            low = Math.min(low, other.low);
        }
    }

    private static int compare(long event, long volume, long price, long otherEvent, long otherVolume, long otherPrice) {
        int byEvent = Long.compare(event, otherEvent);
        int byVolume = byEvent != 0 ? byEvent : Long.compare(volume, otherVolume);
        return byVolume != 0 ? byVolume : Long.compare(price, otherPrice);
    }
}
