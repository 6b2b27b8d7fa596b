package stockplatform;

import java.util.Comparator;

/** The newest tick of a symbol so far; without an event time: none yet. */
public final class QuoteState {
    private static final Comparator<Comparable<?>> NULLS_LOWEST = nullsLowest();

    /**
     * Newest by (event time, day volume, price). Repeats of one tick by two feed lines differ in the rest: there the
     * first received wins, then plain order, so that the order of arrival never matters.
     */
    static final Comparator<QuoteState> NEWER = Comparator.comparing((QuoteState quote) -> quote.tsEvent, NULLS_LOWEST)
            .thenComparing(quote -> quote.dayVolume, NULLS_LOWEST)
            .thenComparing(quote -> quote.price, NULLS_LOWEST)
            .thenComparing(Comparator.comparing((QuoteState quote) -> quote.tsRecv, NULLS_LOWEST).reversed())
            .thenComparing(quote -> quote.previousClose, NULLS_LOWEST)
            .thenComparing(quote -> quote.source, NULLS_LOWEST)
            .thenComparing(quote -> quote.sessionPhase, NULLS_LOWEST)
            .thenComparing(quote -> quote.currency, NULLS_LOWEST);

    Long tsEvent;
    Long dayVolume;
    Long price;
    Long tsRecv;
    Long previousClose;
    String source;
    String sessionPhase;
    String currency;

    /** Take over what the other says, if it is newer. */
    void keepNewer(QuoteState other) {
        if (NEWER.compare(other, this) <= 0) {
            return;
        }
        tsEvent = other.tsEvent;
        dayVolume = other.dayVolume;
        price = other.price;
        tsRecv = other.tsRecv;
        previousClose = other.previousClose;
        source = other.source;
        sessionPhase = other.sessionPhase;
        currency = other.currency;
    }

    @SuppressWarnings({"unchecked", "rawtypes"})
    private static Comparator<Comparable<?>> nullsLowest() {
        return (Comparator) Comparator.nullsFirst(Comparator.naturalOrder());
    }
}
