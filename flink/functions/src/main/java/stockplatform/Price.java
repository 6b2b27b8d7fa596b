package stockplatform;

import java.math.BigDecimal;
import java.math.RoundingMode;
import org.apache.flink.table.data.DecimalData;

/** Prices as exact scaled integers: 168.9 is 168900000. Never through double, never rounded on the way in. */
final class Price {
    static final int PRECISION = 18;
    static final int SCALE = 6;
    private static final long LIMIT = 1_000_000_000_000_000_000L;
    private static final int LONGEST_TEXT = 40;
    /** One, as a scaled percentage. */
    private static final long PERCENT = 100_000_000L;
    private static final long LONGEST_RISE = Long.MAX_VALUE / PERCENT;
    private static final long[] POWERS = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000};

    private Price() {}

    /**
     * @param text a plain or scientific decimal
     * @return the scaled price, or -1 where the text is no number > 0 that numeric(18, 6) holds exactly
     */
    static long parse(String text) {
        long scaled = parsePlain(text);
        return scaled >= 0 ? scaled : parseAny(text);
    }

    /** Digits with or without a point, as the feed writes them; -1 where it is more than that. */
    private static long parsePlain(String text) {
        int point = -1;
        long digits = 0;
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c == '.' && point < 0) {
                point = i;
            } else if (c >= '0' && c <= '9') {
                digits = digits * 10 + (c - '0');
            } else {
                return -1;
            }
        }
        int whole = point < 0 ? text.length() : point;
        int decimals = point < 0 ? 0 : text.length() - point - 1;
        boolean isPlain = whole >= 1 && whole <= PRECISION - SCALE && decimals <= SCALE && decimals != 0 == point >= 0;
        return isPlain && digits > 0 ? digits * POWERS[SCALE - decimals] : -1;
    }

    private static long parseAny(String text) {
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

    /** Percent from {@code previous} to {@code price}, rounded once, half up; null where numeric(18, 6) cannot hold it. */
    static DecimalData changePct(DecimalData price, DecimalData previous) {
        if (price == null || previous == null) {
            return null;
        }
        long from = previous.toUnscaledLong();
        long rise = price.toUnscaledLong() - from;
        if (Math.abs(rise) > LONGEST_RISE) {
            BigDecimal exact = BigDecimal.valueOf(rise, SCALE).movePointRight(2);
            return DecimalData.fromBigDecimal(exact.divide(BigDecimal.valueOf(from, SCALE), SCALE, RoundingMode.HALF_UP), PRECISION, SCALE);
        }
        long scaled = Math.abs(rise) * PERCENT;
        long rest = scaled % from;
        long rounded = scaled / from + (rest >= from - rest ? 1 : 0);
        return rounded < LIMIT ? DecimalData.fromUnscaledLong(rise < 0 ? -rounded : rounded, PRECISION, SCALE) : null;
    }

    /** The price as plain text with six decimals. */
    static void append(long scaled, StringBuilder text) {
        long size = Math.abs(scaled);
        text.append(scaled < 0 ? "-" : "").append(size / POWERS[SCALE]).append('.');
        int point = text.length();
        text.append(POWERS[SCALE] + size % POWERS[SCALE]).deleteCharAt(point); // a leading 1 keeps the zeros
    }
}
