package stockplatform;

import java.io.IOException;
import java.util.List;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonFactory;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonParser;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.core.JsonToken;
import org.apache.flink.table.data.GenericRowData;
import org.apache.flink.table.data.RowData;
import org.apache.flink.table.data.StringData;

/**
 * Bytes of a Kafka message → one row of the columns asked for: a tick's fields with {@code reason} null, or a reason and a
 * detail with the fields null. {@code payload} is the message itself.
 *
 * <p>Total: whatever the bytes are, one row comes out and nothing is thrown; a message that could kill the job would
 * kill it again after each restart. Reads the text once, front to back; of several faults the first field's is named.
 */
final class TickReader {
    static final String REASON = "reason";
    static final String DETAIL = "detail";
    static final String PAYLOAD = "payload";
    private static final JsonFactory JSON = new JsonFactory();
    private static final TickField[] FIELDS = TickField.values();

    private final int width;
    private final int reasonAt;
    private final int detailAt;
    private final int payloadAt;
    private final int[] places = new int[FIELDS.length];

    /**
     * @param columns names of the row's columns, in order; fields that are not among them are checked all the same
     */
    TickReader(List<String> columns) {
        width = columns.size();
        reasonAt = columns.indexOf(REASON);
        detailAt = columns.indexOf(DETAIL);
        payloadAt = columns.indexOf(PAYLOAD);
        for (TickField field : FIELDS) {
            places[field.ordinal()] = columns.indexOf(field.key);
        }
    }

    RowData read(byte[] message) {
        GenericRowData row = new GenericRowData(width);
        put(row, payloadAt, message == null ? new byte[0] : message);
        try {
            readObject(message, row);
            return row;
        } catch (Refusal refusal) {
            return refused(refusal, message);
        }
    }

    private RowData refused(Refusal refusal, byte[] message) {
        GenericRowData row = new GenericRowData(width);
        put(row, payloadAt, message == null ? new byte[0] : message);
        put(row, reasonAt, StringData.fromString(refusal.reason));
        put(row, detailAt, StringData.fromString(refusal.detail));
        return row;
    }

    private void readObject(byte[] message, GenericRowData row) throws Refusal {
        if (message == null || message.length == 0) {
            throw new Refusal("empty", "the message has no value");
        }
        Seen seen = new Seen();
        try (JsonParser json = JSON.createParser(message)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new Refusal("bad_json", "expected a JSON object, found " + TickField.found(json));
            }
            // The feed writes the fields in the contract's order, and comparing bytes is quicker than looking a name up.
            int expected = 0;
            while (json.nextFieldName(FIELDS[expected].serializedKey) || json.currentToken() == JsonToken.FIELD_NAME) {
                TickField field = FIELDS[expected].key.equals(json.currentName()) ? FIELDS[expected] : TickField.of(json.currentName());
                expected = field == null ? expected : (field.ordinal() + 1) % FIELDS.length;
                json.nextToken();
                readField(field, json, row, seen);
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw new Refusal("bad_json", "expected one JSON object and no more");
            }
        } catch (IOException | RuntimeException unreadable) { // a parser's own bug must not kill the job either
            throw new Refusal("bad_json", String.valueOf(unreadable.getMessage()).lines().findFirst().orElse(""));
        }
        seen.judge();
    }

    private void readField(TickField field, JsonParser json, GenericRowData row, Seen seen) throws IOException, Refusal {
        if (field == null) {
            json.skipChildren();
            return;
        }
        seen.note(field);
        try {
            put(row, places[field.ordinal()], field.read(json));
        } catch (Refusal refusal) {
            json.skipChildren();
            seen.refuse(field, refusal);
        }
    }

    private static void put(GenericRowData row, int at, Object value) {
        if (at >= 0) {
            row.setField(at, value);
        }
    }

    /** Which fields a message has, and the first field's fault, in the order of the contract. */
    private static final class Seen {
        private int fields;
        private TickField worst;
        private Refusal refusal;

        void note(TickField field) throws Refusal {
            int bit = 1 << field.ordinal();
            if ((fields & bit) != 0) {
                throw new Refusal("bad_json", "the key " + field.key + " stands there twice");
            }
            fields |= bit;
        }

        void refuse(TickField field, Refusal why) {
            if (worst == null || field.ordinal() < worst.ordinal()) {
                worst = field;
                refusal = why;
            }
        }

        void judge() throws Refusal {
            if ((fields & TickField.REQUIRED) != TickField.REQUIRED) {
                for (TickField field : FIELDS) {
                    if (!field.isNullable && (fields & 1 << field.ordinal()) == 0) {
                        refuse(field, new Refusal("missing_field:" + field.key, "the field is absent"));
                        break;
                    }
                }
            }
            if (refusal != null) {
                throw refusal;
            }
        }
    }
}
