"""Debian's dkimpy and pyspf as others see mail: reads messages, questions and a zone as JSON, and answers as JSON."""

import base64
import json
import sys

import dkim
import spf

given = json.load(sys.stdin)


def found(name, qtype):
    name = name.decode() if isinstance(name, bytes) else name
    return given["zone"].get(name.rstrip(".").lower(), {}).get(qtype, [])


def key(name, timeout=5):
    records = found(name, "TXT")
    return records[0].encode() if records else None


def octets(text):
    return base64.b64decode(text)


def signatures(text):
    """One result for each DKIM-Signature, from the top."""
    results = []
    message = octets(text)
    count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
    for index in range(count):
        try:
            results.append(bool(dkim.DKIM(message).verify(index, dnsfunc=key)))
        except dkim.DKIMException:
            results.append(False)
    return results


def chain(text):
    cv, _, _ = dkim.arc_verify(octets(text), dnsfunc=key)
    return cv.decode() if cv else "none"


def signed(wanted):
    field = dkim.sign(
        octets(wanted["message"]),
        wanted["selector"].encode(),
        wanted["domain"].encode(),
        wanted["key"].encode(),
        canonicalize=tuple(each.encode() for each in wanted["canonicalization"].split("/")),
        signature_algorithm=wanted["algorithm"].encode(),
        length=wanted.get("length", False),
    )
    return base64.b64encode(field + octets(wanted["message"])).decode()


def sealed(wanted):
    """As dkimpy does it: what is to be told of a message stands in it already, in its Authentication-Results."""
    message = octets(wanted["message"])
    fields = dkim.arc_sign(
        message,
        wanted["selector"].encode(),
        wanted["domain"].encode(),
        wanted["key"].encode(),
        wanted["server"].encode(),
        timestamp=None,
    )
    return base64.b64encode(b"".join(fields) + message).decode()


def look_up(name, qtype, tcpfallback=True, timeout=30):
    answers = []
    for record in found(name, qtype):
        if qtype == "TXT":
            record = [record.encode()]
        elif qtype == "MX":
            record = (record[0], record[1])
        answers.append(((name, qtype), record))
    return answers


spf.DNSLookup = look_up


def permitted(question):
    return spf.check2(i=question["address"], s=question["sender"], h=question["helo"], querytime=0)[0]


json.dump(
    {
        "signatures": [signatures(each) for each in given.get("verify", [])],
        "chains": [chain(each) for each in given.get("verifyChains", [])],
        "signed": [signed(each) for each in given.get("sign", [])],
        "sealed": [sealed(each) for each in given.get("seal", [])],
        "spf": [permitted(each) for each in given.get("spf", [])],
    },
    sys.stdout,
)
