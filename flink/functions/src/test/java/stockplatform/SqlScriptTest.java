package stockplatform;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SqlScriptTest {
    @Test
    void statementsEndOutsideOfQuotesAndComments() {
        SqlScript script = SqlScript.parse("""
                -- a comment; with a semicolon and it's quote
                SET 'a.b' = 'c d';
                CREATE TABLE t (`end` INT) WITH ('x' = 'it''s; quoted');
                /* left out; */ INSERT INTO t SELECT CASE WHEN TRUE THEN 1 END;
                INSERT INTO t SELECT 2
                """);

        assertEquals(Map.of("a.b", "c d"), script.settings());
        assertEquals(
                List.of(
                        "CREATE TABLE t (`end` INT) WITH ('x' = 'it''s; quoted')",
                        "INSERT INTO t SELECT CASE WHEN TRUE THEN 1 END",
                        "INSERT INTO t SELECT 2"),
                script.statements());
    }
}
