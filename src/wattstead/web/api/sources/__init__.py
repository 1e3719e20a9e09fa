"""Sources: connections that the server opens: making and changing them, looking around, their dead letters."""
