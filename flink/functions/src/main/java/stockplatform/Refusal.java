package stockplatform;

/** Why a message is no tick: bad data is data, so this never leaves {@link TickReader}. */
final class Refusal extends Exception {
    private static final int LONGEST_DETAIL = 300;

    final String reason;
    final String detail;

    /**
     * @param reason one word, or {@code word:field}; what dead letters are counted by
     * @param detail what was seen, for a person
     */
    Refusal(String reason, String detail) {
        super(reason, null, false, false);
        this.reason = reason;
        this.detail = detail.length() <= LONGEST_DETAIL ? detail : detail.substring(0, LONGEST_DETAIL) + "…";
    }
}
