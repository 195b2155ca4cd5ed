import base64
import json
from pathlib import Path

import pytest

from channels.wecom.crypto import (
    MAX_BODY_BYTES,
    BadBase64,
    BadCipherText,
    BadKey,
    BadPlainText,
    BadSignature,
    CallbackCrypto,
    CallbackError,
    Unreadable,
    WrongReceiver,
    decrypt_media,
    parse_xml,
)

PAYLOADS = Path(__file__).parents[1] / "payloads"
BOOK = json.loads((PAYLOADS / "crypto_vectors.json").read_text())
VECTORS = {vector["id"]: vector for vector in BOOK["vectors"]}
MEDIA = {vector["id"]: vector for vector in BOOK["media_vectors"]}


def crypto_of(vector: dict[str, str]) -> CallbackCrypto:
    return CallbackCrypto(vector["token"], vector["encoding_aes_key"], vector["receiveid"])


def xml_body(encrypt: str) -> bytes:
    return f"<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt></xml>".encode()


def envelope(name: str) -> tuple[str, str, str]:
    vector = VECTORS[name]
    return vector["msg_signature"], vector["timestamp"], vector["nonce"]


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_every_vector_decrypts_to_its_plain_text(name: str) -> None:
    vector = VECTORS[name]
    text = crypto_of(vector).decrypt_post(*envelope(name), xml_body(vector["encrypt"]))
    assert text == vector["plain"]
    assert len(text.encode()) == vector["plain_bytes"]


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_every_vector_encrypts_to_the_same_packet(name: str) -> None:
    vector = VECTORS[name]
    packet = crypto_of(vector).encrypt(
        vector["plain"],
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        random16=vector["random16"],
    )
    assert packet.encrypt == vector["encrypt"]
    assert packet.signature == vector["msg_signature"]


@pytest.mark.parametrize("name", ["V2", "V9"])
def test_url_check_is_answered_with_the_exact_bytes(name: str) -> None:
    vector = VECTORS[name]
    echo = crypto_of(vector).decrypt_echo(*envelope(name), vector["encrypt"])
    assert echo == vector["plain"].encode()


def test_url_check_with_another_nonce_is_refused() -> None:
    vector = VECTORS["V2"]
    with pytest.raises(BadSignature):
        crypto_of(vector).decrypt_echo(
            vector["msg_signature"],
            vector["timestamp"],
            vector["nonce_that_must_fail"],
            vector["encrypt"],
        )


def test_plus_signs_that_a_proxy_turned_into_spaces_are_mended() -> None:
    vector = VECTORS["V2"]
    assert "+" in vector["encrypt"]
    mangled = vector["encrypt"].replace("+", " ")
    echo = crypto_of(vector).decrypt_echo(*envelope("V2"), mangled)
    assert echo == vector["plain"].encode()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("V1", "cb_encrypted_post_body.xml"),
        ("V6", "cb_encrypted_post_body_aibot.json"),
        ("V8", "cb_encrypted_post_body_kf.xml"),
    ],
)
def test_recorded_bodies_open_in_xml_and_in_json(name: str, file: str) -> None:
    vector = VECTORS[name]
    body = (PAYLOADS / file).read_bytes()
    assert crypto_of(vector).decrypt_post(*envelope(name), body) == vector["plain"]


def test_passive_reply_equals_the_recorded_envelope() -> None:
    vector = VECTORS["V4"]
    packet = crypto_of(vector).encrypt(
        vector["plain"],
        timestamp=int(vector["timestamp"]),
        nonce=vector["nonce"],
        random16=vector["random16"],
    )
    recorded = (PAYLOADS / "reply_encrypted_envelope.xml").read_text()
    assert parse_xml(packet.xml) == parse_xml(recorded)


def test_aibot_reply_equals_the_recorded_envelope() -> None:
    vector = VECTORS["V6"]
    packet = crypto_of(vector).encrypt(
        vector["plain"],
        timestamp=vector["timestamp"],
        nonce=vector["nonce"],
        random16=vector["random16"],
    )
    recorded = json.loads((PAYLOADS / "reply_encrypted_envelope_aibot.json").read_text())
    assert json.loads(packet.json) == recorded


def test_two_packets_of_the_same_text_differ_and_both_open() -> None:
    crypto = crypto_of(VECTORS["V8"])
    packets = [crypto.encrypt("你好", timestamp=1, nonce="n") for _ in range(2)]
    assert packets[0].encrypt != packets[1].encrypt
    for packet in packets:
        body = xml_body(packet.encrypt)
        assert crypto.decrypt_post(packet.signature, "1", "n", body) == "你好"


@pytest.mark.parametrize("name", ["M1", "M2"])
def test_media_vectors_decrypt(name: str) -> None:
    vector = MEDIA[name]
    data = base64.b64decode(vector["encrypted_base64"])
    key = vector.get("aeskey") or vector["encoding_aes_key"]
    assert decrypt_media(data, key) == base64.b64decode(vector["plain_base64"])


def test_media_of_the_callback_mode_opens_with_the_callbacks_own_key() -> None:
    vector = MEDIA["M1"]
    crypto = CallbackCrypto("t", vector["encoding_aes_key"], "")
    data = base64.b64decode(vector["encrypted_base64"])
    assert crypto.decrypt_media(data) == base64.b64decode(vector["plain_base64"])
    with pytest.raises(BadPlainText):
        CallbackCrypto("t", "a" * 43, "").decrypt_media(data)


# --- refusals ----------------------------------------------------------------------------------


def signed(crypto: CallbackCrypto, encrypt: str) -> tuple[str, str, str, bytes]:
    """A correctly signed body around any ciphertext."""
    signature = crypto._signature("1", "n", encrypt)
    return signature, "1", "n", xml_body(encrypt)


@pytest.mark.parametrize(
    "wrong", ["", "0" * 40, "签名", "\ud800", "477715d11cdb4164915debcba66cb864d751f3e7"]
)
def test_wrong_signature_is_refused_before_anything_is_decrypted(
    wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    crypto = crypto_of(VECTORS["V1"])

    def must_not_run(*_: object) -> bytes:
        raise AssertionError("decrypted before the signature was checked")

    monkeypatch.setattr("channels.wecom.crypto._decrypt", must_not_run)
    with pytest.raises(BadSignature) as refusal:
        crypto.decrypt_post(wrong, "1409659813", "1372623149", xml_body(VECTORS["V1"]["encrypt"]))
    assert refusal.value.code == -40001


def test_packet_for_another_corp_is_refused() -> None:
    vector = VECTORS["V8"]
    ours = CallbackCrypto(vector["token"], vector["encoding_aes_key"], "ww9999999999999999")
    with pytest.raises(WrongReceiver) as refusal:
        ours.decrypt_post(*envelope("V8"), xml_body(vector["encrypt"]))
    assert refusal.value.code == -40005


def test_packet_for_us_is_refused_where_the_receiver_must_be_empty() -> None:
    vector = VECTORS["V8"]
    bot = CallbackCrypto(vector["token"], vector["encoding_aes_key"], "")
    with pytest.raises(WrongReceiver):
        bot.decrypt_post(*envelope("V8"), xml_body(vector["encrypt"]))


def test_truncated_ciphertext_is_refused_at_every_length() -> None:
    crypto = crypto_of(VECTORS["V1"])
    whole = VECTORS["V1"]["encrypt"]
    for cut in range(1, len(whole), 7):
        with pytest.raises(CallbackError):
            crypto.decrypt_post(*signed(crypto, whole[:cut]))


def test_ciphertext_that_is_not_base64_or_not_whole_blocks_is_refused() -> None:
    crypto = crypto_of(VECTORS["V1"])
    with pytest.raises(BadBase64):
        crypto.decrypt_post(*signed(crypto, "!!!!"))
    with pytest.raises(BadCipherText):
        crypto.decrypt_post(*signed(crypto, base64.b64encode(b"x" * 33).decode()))


def test_length_field_beyond_the_packet_is_refused() -> None:
    crypto = crypto_of(VECTORS["V1"])
    packet = CallbackCrypto("QDG6eK", VECTORS["V1"]["encoding_aes_key"], "")
    forged = packet.encrypt("x", timestamp=1, nonce="n", random16="0" * 16)
    with pytest.raises(WrongReceiver):
        crypto.decrypt_post(*signed(crypto, forged.encrypt))
    from wechatpy.crypto.base import WeChatCipher
    from wechatpy.crypto.pkcs7 import PKCS7Encoder

    key = base64.b64decode(VECTORS["V1"]["encoding_aes_key"] + "=")
    plain = PKCS7Encoder.encode(b"0" * 16 + (2**32 - 1).to_bytes(4, "big") + b"short")
    bad = base64.b64encode(WeChatCipher(key).encrypt(plain)).decode()
    with pytest.raises(BadPlainText):
        crypto.decrypt_post(*signed(crypto, bad))
    not_text = PKCS7Encoder.encode(
        b"0" * 16 + (2).to_bytes(4, "big") + b"\xff\xfe" + b"wx5823bf96d3bd56c7"
    )
    bad = base64.b64encode(WeChatCipher(key).encrypt(not_text)).decode()
    with pytest.raises(BadPlainText):
        crypto.decrypt_post(*signed(crypto, bad))


def test_oversized_body_is_refused_and_one_of_the_limit_is_read() -> None:
    vector = VECTORS["V1"]
    crypto = crypto_of(vector)
    body = xml_body(vector["encrypt"])
    largest = body + b" " * (MAX_BODY_BYTES - len(body))
    assert crypto.decrypt_post(*envelope("V1"), largest) == vector["plain"]
    with pytest.raises(Unreadable) as refusal:
        crypto.decrypt_post(*envelope("V1"), largest + b" ")
    assert refusal.value.code == -40002


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">'
    "<!ENTITY c '&b;&b;&b;&b;'>]><xml><Encrypt>&c;</Encrypt></xml>"
)
OUTSIDE = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>'
    "<xml><Encrypt>&f;</Encrypt></xml>"
)
DTD_ONLY = '<!DOCTYPE xml SYSTEM "http://192.0.2.1/x.dtd"><xml><Encrypt>x</Encrypt></xml>'


@pytest.mark.parametrize(
    "evil",
    [
        BOMB,
        OUTSIDE,
        DTD_ONLY,
        "",
        "   ",
        "plain words",
        "<xml>",
        "<xml></xml>",
        "<xml><Encrypt></Encrypt></xml>",
        "<xml><Encrypt>a\x00b</Encrypt></xml>",
        "{",
        "{}",
        '{"encrypt": 7}',
        '{"encrypt": ' + "[" * 100_000,
        "<xml>" + "<a>" * 2000 + "</a>" * 2000 + "</xml>",
    ],
)
def test_malicious_or_broken_bodies_are_unreadable(evil: str) -> None:
    with pytest.raises(Unreadable):
        crypto_of(VECTORS["V1"]).decrypt_post("s", "1", "n", evil.encode())


@pytest.mark.parametrize(
    "evil", [BOMB, OUTSIDE, DTD_ONLY, "<xml><a>\x00</a></xml>", "<xml/>", "no"]
)
def test_the_inner_document_is_parsed_with_the_same_care(evil: str) -> None:
    with pytest.raises(Unreadable):
        parse_xml(evil)


def test_deep_nesting_of_the_inner_document_is_refused() -> None:
    assert parse_xml("<xml><a><b>1</b></a></xml>") == {"a": {"b": "1"}}
    with pytest.raises(Unreadable):
        parse_xml("<xml>" + "<a>" * 5000 + "</a>" * 5000 + "</xml>")


@pytest.mark.parametrize("key", ["", "short", "a" * 44, "a" * 42 + "-"])
def test_keys_of_the_wrong_shape_are_refused(key: str) -> None:
    with pytest.raises(BadKey) as refusal:
        CallbackCrypto("t", key, "ww1")
    assert refusal.value.code == -40004


def test_a_key_of_another_tool_with_base64_signs_is_taken() -> None:
    crypto = CallbackCrypto("t", "+/" + "a" * 41, "ww1")
    packet = crypto.encrypt("<xml/>", timestamp="1", nonce="2")
    opened = crypto.decrypt_post(packet.signature, "1", "2", packet.xml.encode())
    assert opened == "<xml/>"


def test_media_with_a_short_key_or_damaged_bytes_is_refused() -> None:
    with pytest.raises(BadKey):
        decrypt_media(b"0" * 32, base64.b64encode(b"short").decode())
    with pytest.raises(BadCipherText):
        decrypt_media(b"0" * 31, MEDIA["M2"]["aeskey"])


# --- documents ---------------------------------------------------------------------------------


def test_repeated_nodes_become_a_list_and_trees_become_dicts() -> None:
    text = (PAYLOADS / "cb_app_event_template_card_multiple.xml").read_text()
    document = parse_xml(text)
    assert document["TaskId"] == "ticket_1001@2"
    assert document["SelectedItems"] == {
        "SelectedItem": [
            {"QuestionKey": "prio", "OptionIds": {"OptionId": "high"}},
            {"QuestionKey": "team", "OptionIds": {"OptionId": "ship"}},
        ]
    }


@pytest.mark.parametrize("file", sorted(PAYLOADS.glob("cb_*.xml")), ids=lambda file: file.name)
def test_every_recorded_document_parses(file: Path) -> None:
    assert parse_xml(file.read_text())["ToUserName"]
