"""Lambda handlers and their local run: thin, over feed and api. Not here: the AWS client (adapters/dynamodb), its resources."""
