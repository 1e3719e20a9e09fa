"""Modbus: devices on a bus, TCP or serial, read in blocks at regular instants; it writes to no device.

`settings` is what a person sets, `meters` what follows from it, `plan` what is read at once, `layout` numbers out of
answers, `frames` the bytes on the wire, `bus` one transaction after the other, `polling` when which device is asked,
`sunspec` finds what a device says of itself, `look` is for people who set one up.
"""
