"""The table of HTTP protocols; a new one is a file or folder beside these and a row here."""

from __future__ import annotations

from wattstead.ingest.emoncms.http import routes as emoncms_routes
from wattstead.ingest.greenbutton.http import routes as greenbutton_routes
from wattstead.ingest.http.routes import HttpProtocol
from wattstead.ingest.influx.http import routes as influx_routes
from wattstead.ingest.own.http import routes as own_routes
from wattstead.ingest.prometheus.http import routes as prometheus_routes
from wattstead.ingest.senml.http import routes as senml_routes

PROTOCOLS: tuple[HttpProtocol, ...] = (
    HttpProtocol("own", "docs/sending.md", own_routes),
    HttpProtocol("influx", "docs/influxdb.md", influx_routes),
    HttpProtocol("senml", "docs/senml.md", senml_routes),
    HttpProtocol("greenbutton", "docs/greenbutton.md", greenbutton_routes),
    HttpProtocol("prometheus", "docs/prometheus.md", prometheus_routes),
    HttpProtocol("emoncms", "docs/emoncms.md", emoncms_routes),
)
"""Every protocol that `wattstead.ingest.http.app.IngestApp` serves."""
