"""M-Bus as a source: heat, water, gas and electricity meters on a two-wire bus, through a gateway or a serial port."""
