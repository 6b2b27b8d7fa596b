package stockplatform;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.StringJoiner;

/** Messages for tests: a good one, and ways to spoil it. */
final class Ticks {
    static final long EVENT_MS = 1_381_152_600_000L;

    private Ticks() {}

    static Map<String, String> good() {
        Map<String, String> fields = new LinkedHashMap<>();
        fields.put("symbol", "\"SPY\"");
        fields.put("price", "\"168.9\"");
        fields.put("day_volume", "1200");
        fields.put("size", "null");
        fields.put("ts_event", String.valueOf(EVENT_MS));
        fields.put("ts_recv", String.valueOf(EVENT_MS + 20));
        fields.put("session_phase", "\"regular\"");
        fields.put("currency", "\"USD\"");
        fields.put("previous_close", "\"167.43\"");
        fields.put("source", "\"tape\"");
        fields.put("line", "\"line-0\"");
        fields.put("line_seq", "7");
        fields.put("tick_id", "\"a1b2\"");
        fields.put("is_suspect", "false");
        fields.put("is_continuous", "true");
        return fields;
    }

    static String with(String field, String json) {
        Map<String, String> fields = good();
        fields.put(field, json);
        return json(fields);
    }

    static String without(String field) {
        Map<String, String> fields = good();
        fields.remove(field);
        return json(fields);
    }

    static String json(Map<String, String> fields) {
        StringJoiner text = new StringJoiner(",", "{", "}");
        fields.forEach((name, value) -> text.add("\"" + name + "\":" + value));
        return text.toString();
    }
}
