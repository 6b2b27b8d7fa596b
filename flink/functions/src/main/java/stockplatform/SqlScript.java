package stockplatform;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A SQL file cut into its statements. A statement ends with a semicolon outside of quotes and comments.
 *
 * @param settings what SET says, wherever in the file it stands
 * @param statements all others, in order, without their last semicolon
 */
record SqlScript(Map<String, String> settings, List<String> statements) {
    private static final Pattern TOKEN = Pattern.compile("--[^\\n]*|/\\*.*?\\*/|'(?:[^']|'')*'|`[^`]*`|;", Pattern.DOTALL);
    private static final Pattern SETTING = Pattern.compile("(?i)SET\\s+'([^']+)'\\s*=\\s*'([^']*)'");

    static SqlScript parse(String text) {
        Map<String, String> settings = new LinkedHashMap<>();
        List<String> statements = new ArrayList<>();
        for (String statement : cut(text)) {
            Matcher setting = SETTING.matcher(statement);
            if (setting.matches()) {
                settings.put(setting.group(1), setting.group(2));
            } else {
                statements.add(statement);
            }
        }
        return new SqlScript(settings, statements);
    }

    private static List<String> cut(String text) {
        List<String> statements = new ArrayList<>();
        StringBuilder statement = new StringBuilder();
        Matcher token = TOKEN.matcher(text);
        int from = 0;
        while (token.find()) {
            statement.append(text, from, token.start());
            from = token.end();
            String found = token.group();
            if (found.equals(";")) {
                statements.add(statement.toString().strip());
                statement.setLength(0);
            } else if (!found.startsWith("--") && !found.startsWith("/*")) {
                statement.append(found);
            }
        }
        statements.add(statement.append(text.substring(from)).toString().strip());
        statements.removeIf(String::isEmpty);
        return statements;
    }
}
