"""Pulse meters on a serial port: a line for each blink, with the milliseconds since the last one."""
