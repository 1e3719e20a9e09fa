"""Cities in which a simulated fleet stands, and the geohash of a place; real cities, invented customers."""

from __future__ import annotations

from typing import NamedTuple

_ALPHABET = "0123456789bcdefghjkmnpqrstuvwxyz"


class City(NamedTuple):
    """A city: where it is, and what an address there begins with."""

    name: str
    country: str
    zone: str
    postal_code: str
    latitude: float
    longitude: float


_BERLIN, _PARIS, _MADRID, _ROME = "Europe/Berlin", "Europe/Paris", "Europe/Madrid", "Europe/Rome"
CITIES = (
    City("Freiburg", "DE", _BERLIN, "79098", 47.999, 7.842),
    City("München", "DE", _BERLIN, "80331", 48.137, 11.575),
    City("Kassel", "DE", _BERLIN, "34117", 51.313, 9.498),
    City("Leipzig", "DE", _BERLIN, "04109", 51.340, 12.375),
    City("Rostock", "DE", _BERLIN, "18055", 54.089, 12.140),
    City("Aachen", "DE", _BERLIN, "52062", 50.776, 6.084),
    City("Nürnberg", "DE", _BERLIN, "90402", 49.453, 11.077),
    City("Lyon", "FR", _PARIS, "69001", 45.767, 4.834),
    City("Nantes", "FR", _PARIS, "44000", 47.218, -1.554),
    City("Toulouse", "FR", _PARIS, "31000", 43.604, 1.444),
    City("Rennes", "FR", _PARIS, "35000", 48.117, -1.678),
    City("Grenoble", "FR", _PARIS, "38000", 45.188, 5.724),
    City("Perpignan", "FR", _PARIS, "66000", 42.698, 2.895),
    City("Utrecht", "NL", "Europe/Amsterdam", "3511", 52.091, 5.122),
    City("Groningen", "NL", "Europe/Amsterdam", "9711", 53.219, 6.567),
    City("Gent", "BE", "Europe/Brussels", "9000", 51.054, 3.725),
    City("Luxembourg", "LU", "Europe/Luxembourg", "1009", 49.611, 6.130),
    City("Basel", "CH", "Europe/Zurich", "4001", 47.558, 7.588),
    City("Lausanne", "CH", "Europe/Zurich", "1003", 46.520, 6.633),
    City("Graz", "AT", "Europe/Vienna", "8010", 47.070, 15.439),
    City("Linz", "AT", "Europe/Vienna", "4020", 48.306, 14.286),
    City("Bologna", "IT", _ROME, "40121", 44.494, 11.343),
    City("Bari", "IT", _ROME, "70121", 41.118, 16.872),
    City("Torino", "IT", _ROME, "10121", 45.070, 7.687),
    City("Sevilla", "ES", _MADRID, "41001", 37.389, -5.984),
    City("Zaragoza", "ES", _MADRID, "50001", 41.649, -0.889),
    City("Valencia", "ES", _MADRID, "46001", 39.470, -0.376),
    City("Porto", "PT", "Europe/Lisbon", "4000", 41.150, -8.611),
    City("Évora", "PT", "Europe/Lisbon", "7000", 38.571, -7.913),
    City("Bristol", "GB", "Europe/London", "BS1", 51.454, -2.588),
    City("Leeds", "GB", "Europe/London", "LS1", 53.801, -1.549),
    City("Galway", "IE", "Europe/Dublin", "H91", 53.271, -9.057),
    City("Aarhus", "DK", "Europe/Copenhagen", "8000", 56.162, 10.204),
    City("Uppsala", "SE", "Europe/Stockholm", "753", 59.859, 17.639),
    City("Wrocław", "PL", "Europe/Warsaw", "50-001", 51.108, 17.039),
    City("Brno", "CZ", "Europe/Prague", "602", 49.195, 16.607),
    City("Ljubljana", "SI", "Europe/Ljubljana", "1000", 46.057, 14.506),
    City("Patras", "GR", "Europe/Athens", "262", 38.246, 21.735),
)


def geohash(latitude: float, longitude: float, length: int = 7) -> str:
    """The geohash of a place (G. Niemeyer, 2008): places near each other begin alike.

    >>> geohash(57.64911, 10.40744, 11)
    'u4pruydqqvj'
    """
    spans = [[-180.0, 180.0], [-90.0, 90.0]]
    wanted, number = (longitude, latitude), 0
    for bit in range(5 * length):
        span, value = spans[bit % 2], wanted[bit % 2]
        middle = (span[0] + span[1]) / 2
        above = value >= middle
        span[1 - above] = middle
        number = number << 1 | above
    return "".join(_ALPHABET[number >> 5 * (length - 1 - at) & 31] for at in range(length))
