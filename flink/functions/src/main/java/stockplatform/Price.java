package stockplatform;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;

/** Prices as exact scaled integers: 168.9 is 168900000. Never through double, never rounded on the way in. */
final class Price {
    static final int PRECISION = 18;
    static final int SCALE = 6;
    private static final long LIMIT = 1_000_000_000_000_000_000L;
    private static final int LONGEST_TEXT = 40;

    private Price() {}

    /**
     * @param text a plain or scientific decimal
     * @return the scaled price, or -1 where the text is no number > 0 that numeric(18, 6) holds exactly
     */
    static long parse(String text) {
        if (text.isEmpty() || text.length() > LONGEST_TEXT) {
            return -1;
        }
        try {
            BigDecimal price = new BigDecimal(text);
            // Checked before rescaling, which would write 1e999999999 and 1e-999999999 out in full.
            if (price.signum() <= 0 || price.scale() > LONGEST_TEXT || price.scale() < -LONGEST_TEXT) {
                return -1;
            }
            long scaled = price.setScale(SCALE, RoundingMode.UNNECESSARY).unscaledValue().longValueExact();
            return scaled < LIMIT ? scaled : -1;
        } catch (ArithmeticException | NumberFormatException refused) {
            return -1;
        }
    }

    /** Percent from {@code previous} to {@code price}, rounded once; null where numeric(18, 6) cannot hold it. */
    static BigDecimal changePct(BigDecimal price, BigDecimal previous) {
        if (price == null || previous == null || previous.signum() <= 0) {
            return null;
        }
        BigDecimal change = price.subtract(previous).movePointRight(2).divide(previous, SCALE, RoundingMode.HALF_UP);
        return change.unscaledValue().abs().compareTo(BigInteger.valueOf(LIMIT)) < 0 ? change : null;
    }
}
