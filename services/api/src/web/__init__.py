"""Between the server and the views: problem responses, authentication, parsing, streaming, the OpenAPI document."""
