"""The reference of the API: a page of ours that shows the OpenAPI document without anybody else's server."""
