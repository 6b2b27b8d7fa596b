package stockplatform;

import java.math.BigInteger;
import java.nio.ByteBuffer;

/** Sum of products of longs >= 0 in 128 bits: exact, so the same in any order, and without an object a step. */
final class ExactSum {
    private long high;
    private long low;

    void addProduct(long left, long right) {
        long product = left * right;
        low += product;
        high += Math.multiplyHigh(left, right) + (Long.compareUnsigned(low, product) < 0 ? 1 : 0);
    }

    void subtractProduct(long left, long right) {
        long product = left * right;
        high -= Math.multiplyHigh(left, right) + (Long.compareUnsigned(low, product) < 0 ? 1 : 0);
        low -= product;
    }

    void set(ExactSum other) {
        high = other.high;
        low = other.low;
    }

    BigInteger value() {
        return new BigInteger(ByteBuffer.allocate(2 * Long.BYTES).putLong(high).putLong(low).array());
    }
}
