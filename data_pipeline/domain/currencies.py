"""Currency codes and signs that may stand beside an amount."""

from typing import Final

# ISO 4217, list one: currencies in circulation.
_CODES = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP CNY
COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS
INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP
MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR
SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND
VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
CURRENCIES: Final = frozenset(_CODES.split())

# Several currencies share a sign: then an amount with the sign may be of each of them.
SIGNS: Final = {
    "€": frozenset(("EUR",)),
    "$": frozenset(("USD", "CAD", "AUD", "NZD", "SGD", "HKD", "MXN", "TWD", "ARS", "CLP", "COP")),
    "£": frozenset(("GBP", "GIP", "FKP", "SHP", "EGP")),
    "¥": frozenset(("JPY", "CNY")),
    "₹": frozenset(("INR",)),
    "₩": frozenset(("KRW", "KPW")),
    "₺": frozenset(("TRY",)),
    "₴": frozenset(("UAH",)),
    "₽": frozenset(("RUB",)),
    "₪": frozenset(("ILS",)),
    "₫": frozenset(("VND",)),
    "฿": frozenset(("THB",)),
    "zł": frozenset(("PLN",)),
    "Kč": frozenset(("CZK",)),
    "Ft": frozenset(("HUF",)),
    "kr": frozenset(("SEK", "NOK", "DKK", "ISK")),
}


def marks_of(currency: str | None) -> tuple[str, ...]:
    """Return the code and signs of a currency, or those of all."""
    codes = CURRENCIES if currency is None else {currency}
    return (*sorted(codes), *(sign for sign, shared in SIGNS.items() if not shared.isdisjoint(codes)))
