"""Questions about readings and their answers: buckets, single readings, newest readings, spans; changes nothing."""
