"""Which calendar an instrument of Yahoo's keeps: by the exchange's name in its answers, or by the symbol's suffix.

A watchlist names its calendar; this is the second opinion. Source of the suffixes: yfinance.const._MIC_TO_YAHOO_SUFFIX and
Yahoo's help page on exchanges; of the exchange names: meta.exchangeName and quote.exchange of captured answers."""

import re

_BY_EXCHANGE = {
    "XNAS": "NMS NGM NCM NAS NIM",
    "XNYS": "NYQ NYS PCX ASE BTS PNK OQB OQX OEM SNP DJI CXI WCB OPR YHD",
    "XTSE": "TOR VAN CNQ NEO",
    "XMEX": "MEX",
    "BVMF": "SAO",
    "XLON": "LSE IOB FGI",
    "XDUB": "ISE",
    "XLIS": "LIS",
    "XPAR": "PAR",
    "XAMS": "AMS",
    "XBRU": "BRU",
    "XETR": "GER",
    "XFRA": "FRA",
    "XSWX": "EBS",
    "XWBO": "VIE",
    "XMIL": "MIL",
    "XMAD": "MCE",
    "XOSL": "OSL",
    "XCSE": "CPH",
    "XSTO": "STO",
    "XHEL": "HEL",
    "XJSE": "JNB",
    "XTKS": "JPX OSA",
    "XKRX": "KSC KOE",
    "XSHG": "SHH",
    "XSHE": "SHZ",
    "XHKG": "HKG",
    "XTAI": "TAI TWO",
    "XSES": "SES",
    "XIDX": "JKT",
    "XBOM": "BSE",
    "XNSE": "NSI",
    "XASX": "ASX",
    "XNZE": "NZE",
    "CMES": "CME CBT NYM CMX",
    "24/5": "CCY",
    "24/7": "CCC",
}
_EXCHANGES = {exchange: name for name, exchanges in _BY_EXCHANGE.items() for exchange in exchanges.split()}

_BY_SUFFIX = {
    "XTSE": "TO V CN NE",
    "XMEX": "MX",
    "BVMF": "SA",
    "XLON": "L IL",
    "XDUB": "IR",
    "XLIS": "LS",
    "XPAR": "PA",
    "XAMS": "AS",
    "XBRU": "BR",
    "XETR": "DE",
    "XFRA": "F",
    "XSWX": "SW",
    "XWBO": "VI",
    "XMIL": "MI",
    "XMAD": "MC",
    "XOSL": "OL",
    "XCSE": "CO",
    "XSTO": "ST",
    "XHEL": "HE",
    "XJSE": "JO",
    "XTKS": "T",
    "XKRX": "KS KQ",
    "XSHG": "SS",
    "XSHE": "SZ",
    "XHKG": "HK",
    "XTAI": "TW TWO",
    "XSES": "SI",
    "XIDX": "JK",
    "XBOM": "BO",
    "XNSE": "NS",
    "XASX": "AX",
    "XNZE": "NZ",
}
_SUFFIXES = {suffix: name for name, suffixes in _BY_SUFFIX.items() for suffix in suffixes.split()}

_CRYPTO = re.compile(r"-(USD|EUR|GBP|JPY|CAD|AUD|KRW|INR|CNY|BTC|ETH|USDT)$")
_SHAPES = ((re.compile(r"=X$"), "24/5"), (re.compile(r"=F$"), "CMES"), (_CRYPTO, "24/7"))
_US = "XNYS"


def calendar_of_exchange(exchange_name: str) -> str | None:
    """Calendar of Yahoo's exchange name (NMS, LSE, CCC); None when it is not known here."""
    return _EXCHANGES.get(exchange_name)


def calendar_of_symbol(symbol: str) -> str | None:
    """Calendar by the look of a Yahoo symbol; None where that does not tell: an index (^FTSE), an unknown suffix."""
    if symbol.startswith("^"):
        return None
    for shape, name in _SHAPES:
        if shape.search(symbol):
            return name
    _, dot, suffix = symbol.rpartition(".")
    return _SUFFIXES.get(suffix) if dot else _US
