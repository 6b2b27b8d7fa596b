package stockplatform;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.StatementSet;
import org.apache.flink.table.api.TableEnvironment;

/**
 * Entry class of {@code POST /jars/:id/run}: plans a SQL file in the JobManager and submits all its INSERTs as one job;
 * needs no gateway.
 */
public final class SqlJob {
    private static final Pattern INSERT = Pattern.compile("(?i)INSERT\\s");

    private SqlJob() {}

    /**
     * @param arguments {@code --script PATH --name NAME}
     * @throws IOException the script cannot be read
     */
    public static void main(String[] arguments) throws IOException {
        Map<String, String> options = options(List.of(arguments));
        SqlScript script = SqlScript.parse(Files.readString(Path.of(options.get("--script"))));
        Configuration configuration = Configuration.fromMap(script.settings());
        configuration.set(PipelineOptions.NAME, options.get("--name"));
        TableEnvironment tables = TableEnvironment.create(EnvironmentSettings.newInstance().withConfiguration(configuration).build());
        StatementSet inserts = tables.createStatementSet();
        for (String statement : script.statements()) {
            if (INSERT.matcher(statement).lookingAt()) {
                inserts.addInsertSql(statement);
            } else {
                tables.executeSql(statement);
            }
        }
        inserts.execute();
    }

    private static Map<String, String> options(List<String> arguments) {
        Map<String, String> options = new HashMap<>();
        for (int i = 0; i + 1 < arguments.size(); i += 2) {
            options.put(arguments.get(i), arguments.get(i + 1));
        }
        if (!options.keySet().equals(java.util.Set.of("--script", "--name")) || arguments.size() % 2 != 0) {
            throw new IllegalArgumentException("SqlJob: expected --script PATH --name NAME, found " + arguments);
        }
        return options;
    }
}
