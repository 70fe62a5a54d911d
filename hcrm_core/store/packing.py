"""Short texts made small: deflated with a vocabulary both sides know, since a record is too short to have its own.

What is packed stays readable for ever, so a vocabulary is never changed: a better one gets another mark.
"""

import zlib

_PLAIN, _PACKED = b"\x00", b"\x02"

# Field names and values that records are full of, the commonest last, where a reference to them is shortest.
_VOCABULARY = (
    b'"deceased_date_time":"20"multiple_birth_order":1,"deceased":false,"minutes_duration":"cancelation_reason":'
    b'"appointment_type":"expected_end":"20"discharge_disposition":"destination":"referrer":"admitter":"asserter":"'
    b'"admit_source":{"code":"vip":{"code":"payer_class":{"code":"priority":{"code":"period_start":"period_end":"20'
    b'"part_of":"type":"prov""type":"dept"{"code":"","name":"reaction":["onset":"20"criticality":{"code":"SV"'
    b'"plan":{"code":"payor":"subscriber_id":"recorded_date":"20"rank":1}"category":{"code":"occurrence":"20'
    b'"price":{"amount":,"currency":"CNY"},"quantity":{"value":1},"status":"billable","type":"CG"'
    b'"interpretation":["N"],"reference_range":"issued":"20"value_string":"value_quantity":{"unit":"mmol/L","value":'
    b'"value_concept":"report":"orderer":"encounter":"department":"practitioner":"attender":"beneficiary":"patient":"'
    b'"ethnicity":{"code":"language":{"code":"marital_status":{"code":"M","display":"Married","system":"HL70002"}'
    b'"general_practitioner":"district":"gender":"unknown"gender":"male"gender":"female"birth_date":"19'
    b'"class":"EMER","class":"IMP","class":"AMB","location":"service_type":{"code":"effective":"20"start":"20"end":"20'
    b'"status":"in-progress","type":{"coding":[{"code":"status":"final","status":"booked","status":"finished",'
    b'"contact_role":{"coding":[{"code":"EC","display":"relationship":{"coding":[{"code":"SEL"SPO"reason":{"coding":[{'
    b'"city":"","country":"CHN","district":"","line":["","postal_code":"","state":"","text":"","use":"home"}],'
    b'"address":[{"identifier":[{"sender_scoped":true,"system":"","type":"MR","value":"},{"system":"PRC","type":"NI",'
    b'"name":[{"family":"","given":[""],"prefix":"Dr","text":"","use":"official"}],"nickname"'
    b'"telecom":[{"system":"email","value":"},{"system":"phone","use":"mobile","value":"1"work","value":"'
    b'T00:00:00+08:00","code":{"coding":[{"code":"","display":"","system":"I10"}]},"text":"","subject":"'
)


# Reading the vocabulary costs as much as packing a record, so it is read once and copied.
_PACKER = zlib.compressobj(6, zlib.DEFLATED, -12, 5, zdict=_VOCABULARY)


def pack(plain: bytes) -> bytes:
    """Make a short text small; equal texts give equal bytes."""
    packer = _PACKER.copy()
    packed = packer.compress(plain) + packer.flush()
    return _PACKED + packed if len(packed) < len(plain) else _PLAIN + plain


def unpack(packed: bytes) -> bytes:
    """The text that was given to `pack`."""
    if packed[:1] == _PACKED:
        return zlib.decompressobj(-12, zdict=_VOCABULARY).decompress(packed[1:])
    return bytes(packed[1:])
