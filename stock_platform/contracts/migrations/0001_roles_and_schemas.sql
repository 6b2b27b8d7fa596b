-- Schemas and roles. Passwords are no part of migrations: the runner sets generated ones at every start.
-- A rerun is refused: each migration is applied once.
CREATE SCHEMA reference;
CREATE SCHEMA staging;
CREATE SCHEMA market;
CREATE SCHEMA quality;
CREATE SCHEMA aggregates;

DO $$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['flink_writer', 'feed_writer', 'gate_owner', 'api_reader', 'grafana_reader'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role_name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', role_name);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role_name);
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA public FROM public;

-- Readers can only read, not for long, and not from many connections.
ALTER ROLE api_reader SET default_transaction_read_only = on;
ALTER ROLE api_reader SET statement_timeout = '5s';
ALTER ROLE api_reader CONNECTION LIMIT 20;
ALTER ROLE grafana_reader SET default_transaction_read_only = on;
ALTER ROLE grafana_reader SET statement_timeout = '10s';
ALTER ROLE grafana_reader CONNECTION LIMIT 10;
ALTER ROLE gate_owner SET lock_timeout = '30s';
